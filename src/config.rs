//! The environment as one value: read once at start, handed down, made by hand in tests.
//!
//! Nothing else reads environment variables. Command line flags that override it are given to
//! [`Environment::folders`].

mod children;
mod environment;
mod folders;

pub use children::{Children, HANDED_ON};
pub use environment::{Environment, LookUp, ProxyVariables};
pub use folders::{Folders, FoldersProblem, Overrides};
