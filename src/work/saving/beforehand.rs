//! What a save would refuse, told before anybody types a secret for it.

use super::refuse_taken;
use crate::domain::Connection;
use crate::store::StoreKind;
use crate::work::core::Core;
use crate::work::error::WorkError;

impl Core {
    /// Refuses what [`Core::save`] would refuse of `connection` with a new value: its name, what stands in it in the open,
    /// and that nobody said where the value goes. Typed before, the value would be lost.
    pub async fn refuse_beforehand(
        &self,
        connection: &Connection,
        before: Option<&Connection>,
        store: Option<StoreKind>,
    ) -> Result<(), WorkError> {
        let configuration = self.configuration().await?;
        refuse_taken(&configuration, before, &connection.name)?;
        self.refuse_open_secrets(connection, before).await?;
        self.store_for(store, before, &configuration).await?;
        Ok(())
    }
}
