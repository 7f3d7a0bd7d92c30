//! Where everything is kept: XDG folders, pinned down by variables and flags.

use std::path::{Path, PathBuf};

use super::Environment;

/// What the command line pins down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `--config-dir`: the folder that holds `switchboard.toml`.
    pub config_dir: Option<PathBuf>,
    /// `--state-dir`: the folder that holds `history.sqlite` and the log.
    pub state_dir: Option<PathBuf>,
}

/// Where everything is kept. Nothing here need exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folders {
    /// `switchboard.toml`.
    pub configuration: PathBuf,
    /// The folder of `identity.age` and `vault.age`.
    pub data: PathBuf,
    /// The folder of `history.sqlite` and the log.
    pub state: PathBuf,
}

impl Folders {
    /// The folder of the configuration.
    pub fn config(&self) -> &Path {
        self.configuration.parent().unwrap_or(Path::new("."))
    }
}

/// There is no place to keep something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no home folder to keep the {0} in: set HOME, or give --config-dir and --state-dir"
)]
pub struct FoldersProblem(&'static str);

impl Environment {
    /// Where everything is kept: flags win over `SWITCHBOARD_*_DIR`, those over the XDG folders. Where there
    /// is no home, both may be pinned down, and the vault then lies beside the configuration.
    pub fn folders(&self, overrides: &Overrides) -> Result<Folders, FoldersProblem> {
        let below_home = |folder: &str| Some(self.home.as_ref()?.join(folder));
        let pinned = overrides.config_dir.as_ref().or(self.config_dir.as_ref());
        let configuration = pinned
            .map(|folder| folder.join("switchboard.toml"))
            .or_else(|| self.configuration.clone())
            .ok_or(FoldersProblem("configuration"))?;
        let state = overrides
            .state_dir
            .clone()
            .or_else(|| self.state_dir.clone())
            .or_else(|| Some(self.xdg_state.clone()?.join("switchboard")))
            .or_else(|| below_home(".local/state/switchboard"))
            .ok_or(FoldersProblem("state"))?;
        let data = self
            .xdg_data
            .as_ref()
            .map(|folder| folder.join("switchboard"))
            .or_else(|| below_home(".local/share/switchboard"))
            .or_else(|| pinned.cloned())
            .ok_or(FoldersProblem("vault"))?;
        Ok(Folders {
            configuration,
            data,
            state,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folders(
        variables: &[(&str, &str)],
        overrides: Overrides,
    ) -> Result<[String; 3], FoldersProblem> {
        let folders = Environment::of(variables.iter().copied()).folders(&overrides)?;
        Ok([folders.configuration, folders.data, folders.state]
            .map(|path| path.display().to_string()))
    }

    #[test]
    fn flags_win_over_variables_over_xdg_over_home() {
        let home = ("HOME", "/h");
        assert_eq!(
            folders(&[home], Overrides::default()).unwrap(),
            [
                "/h/.config/switchboard/switchboard.toml",
                "/h/.local/share/switchboard",
                "/h/.local/state/switchboard"
            ]
        );
        let xdg = [
            home,
            ("XDG_CONFIG_HOME", "/c"),
            ("XDG_DATA_HOME", "/d"),
            ("XDG_STATE_HOME", "/s"),
        ];
        assert_eq!(
            folders(&xdg, Overrides::default()).unwrap(),
            [
                "/c/switchboard/switchboard.toml",
                "/d/switchboard",
                "/s/switchboard"
            ]
        );
        let own = [
            home,
            ("SWITCHBOARD_CONFIG_DIR", "/c"),
            ("SWITCHBOARD_STATE_DIR", "/s"),
        ];
        assert_eq!(
            folders(&own, Overrides::default()).unwrap(),
            ["/c/switchboard.toml", "/h/.local/share/switchboard", "/s"]
        );
        let flags = Overrides {
            config_dir: Some("/f".into()),
            state_dir: Some("/g".into()),
        };
        assert_eq!(
            folders(&own, flags).unwrap(),
            ["/f/switchboard.toml", "/h/.local/share/switchboard", "/g"]
        );
    }

    #[test]
    fn without_a_home_the_flags_are_enough_and_the_message_names_them() {
        let problem = folders(&[], Overrides::default()).unwrap_err().to_string();
        assert!(
            problem.contains("--config-dir") && problem.contains("HOME"),
            "{problem}"
        );
        let flags = Overrides {
            config_dir: Some("/f".into()),
            state_dir: None,
        };
        assert!(
            folders(&[], flags.clone())
                .unwrap_err()
                .to_string()
                .contains("--state-dir")
        );
        let flags = Overrides {
            state_dir: Some("/g".into()),
            ..flags
        };
        assert_eq!(
            folders(&[], flags).unwrap(),
            ["/f/switchboard.toml", "/f", "/g"]
        );
    }
}
