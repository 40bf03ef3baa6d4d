//! Extension of async-graphql's execution.
//!
//! One extension does all of it, because each extension costs a future on the heap for every field.
//!
//! - Validation runs once for each document where it can ([`SchemaCheck`]), and the rest of the checks
//!   against the schema with it.
//! - Guarded fields require their caller's authorization ([`requires_auth`]).
//! - Errors null positions as the specification says
//!   ([`null_propagation`](super::conformance::null_propagation)).

use std::sync::Arc;

use async_graphql::extensions::{
    Extension, ExtensionContext, ExtensionFactory, NextExecute, NextResolve, NextValidation,
    ResolveInfo,
};
use async_graphql::{Response, ServerError, ServerResult, ValidationResult, Value, async_trait};

use super::conformance::null_propagation::NullPropagation;
use super::conformance::schema_description;
use super::document::SchemaCheck;
use super::requires_auth;

/// Makes the extension of each request.
pub struct ExecutionExtension;

impl ExtensionFactory for ExecutionExtension {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Execution::default())
    }
}

/// Extension of the execution of one request.
#[derive(Default)]
struct Execution {
    null_propagation: NullPropagation,
}

#[async_trait::async_trait]
impl Extension for Execution {
    async fn validation(
        &self,
        context: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        let check = context.data_opt::<SchemaCheck>();
        let kept = check.and_then(SchemaCheck::kept_validation);
        let result = if let Some(result) = kept.and_then(|kept| kept.get()) {
            *result
        } else {
            let result = next.run(context).await?;
            if let Some(kept) = kept {
                // A concurrent request may have set the same result already.
                let _ = kept.set(result);
            }
            result
        };
        if let Some(check) = check {
            let checked = check.check(&context.schema_env.registry);
            checked.map_err(|refusal| vec![refusal.into()])?;
        }
        Ok(result)
    }

    async fn execute(
        &self,
        context: &ExtensionContext<'_>,
        operation_name: Option<&str>,
        next: NextExecute<'_>,
    ) -> Response {
        let mut response = next.run(context, operation_name).await;
        self.null_propagation.apply(&mut response);
        response
    }

    async fn resolve(
        &self,
        context: &ExtensionContext<'_>,
        info: ResolveInfo<'_>,
        next: NextResolve<'_>,
    ) -> ServerResult<Option<Value>> {
        if let Some(description) = schema_description::resolve(&info) {
            return Ok(Some(description));
        }
        let (at, ty) = (info.path_node, info.return_type);
        let resolved = match requires_auth::authorize(context, &info) {
            Ok(()) => next.run(context, info).await,
            Err(denied) => Err(denied),
        };
        Ok(Some(self.null_propagation.complete(at, ty, resolved)))
    }
}
