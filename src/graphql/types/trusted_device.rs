//! Trusted devices.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};

use crate::auth::Viewer;
use crate::domain::id::TrustedDeviceId;
use crate::graphql::auth;
use crate::graphql::error::expose;
use crate::graphql::global_id::GlobalId;
use crate::graphql::scalars::DateTime;
use crate::store;

/// A device that an account trusts.
#[derive(Clone, Debug)]
pub struct TrustedDevice(Arc<store::TrustedDevice>);

impl TrustedDevice {
    pub(in crate::graphql) fn new(device: store::TrustedDevice) -> Self {
        Self(Arc::new(device))
    }

    /// The device, if the viewer may see it.
    pub(in crate::graphql) async fn load(
        context: &Context<'_>,
        viewer: Viewer,
        id: TrustedDeviceId,
    ) -> Result<Option<Self>> {
        let found = auth(context).reads.trusted_device(viewer, id).await.map_err(expose)?;
        Ok(found.map(Self::new))
    }
}

/// Device on which a login of the user needs no second factor.
#[Object]
impl TrustedDevice {
    /// Global object ID (Relay Node).
    pub(super) async fn id(&self) -> ID {
        GlobalId::TrustedDevice(self.0.id).into()
    }

    /// Name of the session in which the user chose so, or of the browser; null if neither is known.
    async fn name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }

    /// When the user chose so.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// Until when the device is trusted. A change of the password or of the second factors ends it at once.
    async fn expires_at(&self) -> DateTime {
        self.0.expires_at.into()
    }
}
