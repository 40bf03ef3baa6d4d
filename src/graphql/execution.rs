//! How a request is executed otherwise than async-graphql does it by itself.
//!
//! Rule: one extension for all of it, because each costs a future on the heap for every field.
//!
//! - Validation is done once for each document, and not for each request. What a document is found to
//!   be holds for as long as it is remembered only where nothing but its text decides it: the schema
//!   is fixed, and a document with other variables than texts is judged by their values, too, each
//!   time.
//! - Guarded fields are guarded: see [`requires_auth`].
//! - An error nulls the nearest position that may be null: see [`failures`](super::conformance::null_propagation).

use std::sync::Arc;

use async_graphql::extensions::{
    Extension, ExtensionContext, ExtensionFactory, NextExecute, NextResolve, NextValidation,
    ResolveInfo,
};
use async_graphql::{Response, ServerError, ServerResult, ValidationResult, Value, async_trait};

use super::DESCRIPTION;
use super::conformance::null_propagation::Failures;
use super::document::Asked;
use super::requires_auth;

/// Makes the extension.
pub struct Executions;

impl ExtensionFactory for Executions {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Execution::default())
    }
}

/// The execution of one request, and the errors in it so far.
#[derive(Default)]
struct Execution(Failures);

#[async_trait::async_trait]
impl Extension for Execution {
    async fn validation(
        &self,
        context: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        let asked = context.data_opt::<Asked>();
        let found = asked.and_then(Asked::validity);
        let valid = if let Some(valid) = found.and_then(|validity| validity.get()) {
            *valid
        } else {
            let valid = next.run(context).await?;
            if let Some(validity) = found {
                // Whoever was faster found the same.
                let _ = validity.set(valid);
            }
            valid
        };
        if let Some(asked) = asked {
            let checked = asked.check_against_schema(&context.schema_env.registry);
            checked.map_err(|refusal| vec![refusal.into()])?;
        }
        Ok(valid)
    }

    async fn execute(
        &self,
        context: &ExtensionContext<'_>,
        operation_name: Option<&str>,
        next: NextExecute<'_>,
    ) -> Response {
        let mut response = next.run(context, operation_name).await;
        self.0.settle(&mut response);
        response
    }

    async fn resolve(
        &self,
        context: &ExtensionContext<'_>,
        info: ResolveInfo<'_>,
        next: NextResolve<'_>,
    ) -> ServerResult<Option<Value>> {
        // async-graphql has a text of its own for every schema.
        if info.is_for_introspection && info.parent_type == "__Schema" && info.name == "description"
        {
            return Ok(Some(Value::from(DESCRIPTION)));
        }
        let (at, ty) = (info.path_node, info.return_type);
        let resolved = match requires_auth::authorize(context, &info) {
            Ok(()) => next.run(context, info).await,
            Err(denied) => Err(denied),
        };
        Ok(Some(self.0.complete(at, ty, resolved)))
    }
}
