//! How a request is executed otherwise than async-graphql does it by itself.
//!
//! Rule: one extension for all of it, because each costs a future on the heap for every field.
//!
//! - Validation is done once for each document, and not for each request. What a document is found to
//!   be holds for as long as it is remembered only where nothing but its text decides it: the schema
//!   is fixed, and a document with other variables than texts is judged by their values, too, each
//!   time.
//! - Guarded fields are guarded: see [`requires_auth`].
//! - A field that may be null and fails is null, and its error stands beside it. async-graphql 7.2
//!   leaves a failed field out and makes the object null where all of its fields failed, so that one
//!   refused field would take `data` with it. An error stops at the first field that may be null
//!   (GraphQL specification, section 6.4.4), and the others are answered.

use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::extensions::{
    Extension, ExtensionContext, ExtensionFactory, NextExecute, NextResolve, NextValidation,
    ResolveInfo,
};
use async_graphql::{
    PathSegment, Response, ServerError, ServerResult, ValidationResult, Value, async_trait,
};

use super::document::Prepared;
use super::requires_auth;

/// Makes the extension.
pub(super) struct Executions;

impl ExtensionFactory for Executions {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Execution::default())
    }
}

/// The execution of one request: the errors that stopped at a field.
#[derive(Default)]
struct Execution(Mutex<Vec<ServerError>>);

#[async_trait::async_trait]
impl Extension for Execution {
    async fn validation(
        &self,
        context: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        let found = context.data_opt::<Arc<Prepared>>().map(|prepared| prepared.validity());
        if let Some(valid) = found.and_then(|validity| validity.get()) {
            return Ok(*valid);
        }
        let valid = next.run(context).await?;
        if let Some(validity) = found {
            // Whoever was faster found the same.
            let _ = validity.set(valid);
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
        let mut errors = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        response.errors.append(&mut errors);
        response
    }

    async fn resolve(
        &self,
        context: &ExtensionContext<'_>,
        info: ResolveInfo<'_>,
        next: NextResolve<'_>,
    ) -> ServerResult<Option<Value>> {
        let path = info.path_node;
        let may_be_null = !info.return_type.ends_with('!');
        let done = match requires_auth::judge(context, &info) {
            Ok(()) => next.run(context, info).await,
            Err(denied) => Err(denied),
        };
        match done {
            Err(mut error) if may_be_null => {
                if error.path.is_empty() {
                    let names = path.to_string_vec().into_iter();
                    error.path = names.map(PathSegment::Field).collect();
                }
                self.0.lock().unwrap_or_else(PoisonError::into_inner).push(error);
                Ok(Some(Value::Null))
            }
            done => done,
        }
    }
}
