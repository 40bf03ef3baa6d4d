//! A small schema with one field for each kind of error.
#![expect(clippy::unused_async, reason = "async-graphql wants its resolvers so")]

use async_graphql::{
    Context, Enum, Error, ErrorExtensions, InputObject, InputValueError, InputValueResult, Object,
    Result, Scalar, ScalarType, SimpleObject, Subscription, Value as GraphqlValue,
};
use futures_util::{Stream, stream};

/// Data of the request.
pub(super) struct Caller(pub(super) &'static str);

pub(super) struct Query;

#[Object]
impl Query {
    async fn hello(
        &self,
        #[graphql(default_with = "String::from(\"you\")")] name: String,
    ) -> String {
        format!("hello {name}")
    }

    async fn caller(&self, ctx: &Context<'_>) -> &'static str {
        ctx.data_unchecked::<Caller>().0
    }

    /// Completes after the other fields.
    async fn slow(&self) -> i32 {
        tokio::task::yield_now().await;
        1
    }

    async fn point(&self) -> Point {
        Point { x: 1, y: 2 }
    }

    async fn shift(&self, by: Shift, #[graphql(default)] color: Option<Color>) -> i32 {
        by.x + color.map_or(0, |color| color as i32)
    }

    async fn even(&self, number: Even) -> Option<i32> {
        Some(number.0)
    }

    async fn small(&self, #[graphql(validator(maximum = 10))] number: i32) -> Option<i32> {
        Some(number)
    }

    async fn refused(&self) -> Result<Option<i32>> {
        let refused = Error::new(format!("a{}\nb", "x".repeat(1000)));
        Err(refused.extend_with(|_, values| {
            values.set("code", "UNAUTHENTICATED");
            values.set("reason", "NO_TOKEN");
        }))
    }

    async fn broken(&self) -> Result<Option<i32>> {
        Err(std::io::Error::other("secret.example:5432 is gone").into())
    }

    async fn disguised(&self) -> Result<Option<i32>> {
        Err(std::io::Error::other("Failed to parse \"Secret\": no secret").into())
    }

    async fn needed(&self) -> Result<i32> {
        Err(Error::new("Failed to find the secret"))
    }

    async fn many(&self) -> Vec<Broken> {
        (0..30).map(|_| Broken).collect()
    }

    async fn panics(&self) -> i32 {
        let thoughts = std::hint::black_box(None);
        thoughts.expect("secret thoughts")
    }

    async fn cookie(&self, ctx: &Context<'_>) -> bool {
        ctx.append_http_header("set-cookie", "a=1");
        ctx.append_http_header("set-cookie", "b=2");
        ctx.insert_http_header("cache-control", "public");
        true
    }
}

#[derive(SimpleObject)]
struct Point {
    x: i32,
    y: i32,
}

#[derive(InputObject)]
struct Shift {
    x: i32,
}

#[derive(Clone, Copy, PartialEq, Eq, Enum)]
enum Color {
    Red,
    Blue,
}

struct Even(i32);

#[Scalar]
impl ScalarType for Even {
    fn parse(value: GraphqlValue) -> InputValueResult<Self> {
        match &value {
            GraphqlValue::Number(number) => match number.as_i64() {
                Some(2) => Ok(Self(2)),
                _ => Err(InputValueError::custom("this is\nodd")),
            },
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> GraphqlValue {
        GraphqlValue::from(self.0)
    }
}

struct Broken;

#[Object]
impl Broken {
    async fn field(&self) -> Result<Option<i32>> {
        Err(Error::new("each of them"))
    }
}

pub(super) struct Mutation;

#[Object]
impl Mutation {
    async fn login(&self) -> bool {
        true
    }
}

pub(super) struct Ticks;

#[Subscription]
impl Ticks {
    async fn ticks(&self) -> impl Stream<Item = i32> {
        stream::iter([1])
    }
}
