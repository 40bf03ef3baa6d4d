//! The schema as text: its guards, and that the program serves it.

use async_graphql::Positioned;
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    ConstDirective, FieldDefinition, TypeDefinition, TypeKind, TypeSystemDefinition,
};

/// The types that a document begins in.
const ROOTS: [&str; 3] = ["Query", "Mutation", "Subscription"];

/// The fields that answer to anybody.
pub const PUBLIC: [&str; 21] = [
    "node",
    "nodes",
    "tokenStatus",
    "register",
    "login",
    "refresh",
    "logout",
    "requestEmailLogin",
    "loginWithLink",
    "continueLogin",
    "beginTotp",
    "confirmTotp",
    "beginPasskeyLogin",
    "loginWithPasskey",
    "beginPasskeyRegistration",
    "registerPasskey",
    "requestPasswordReset",
    "resetPassword",
    "verifyEmail",
    "confirmEmailChange",
    "revertEmailChange",
];

#[test]
fn the_file_is_what_the_program_prints() {
    let file = std::fs::read_to_string("schema.graphql").unwrap_or_default();
    assert!(
        file == sallyport::graphql::sdl(),
        "schema.graphql is out of date; run: cargo run -q -- schema > schema.graphql"
    );
}

#[test]
fn every_root_field_is_guarded_or_known_to_be_public() {
    let mut seen = Vec::new();
    for RootField { root, name, definition } in root_fields() {
        let guarded = guard(&definition).is_some();
        let public = PUBLIC.contains(&name.as_str());
        assert!(guarded != public, "{name}: guarded or public, one of the two");
        // A refused field must be able to be null, or it would take its neighbours with it; a
        // subscription has none.
        let alone = root == "Subscription";
        let nullable = definition.ty.node.nullable;
        assert!(!guarded || alone || nullable, "{name} is guarded and cannot be null");
        seen.push(name);
    }
    assert!(PUBLIC.iter().all(|name| seen.iter().any(|field| field == name)));
    assert!(seen.len() > PUBLIC.len() + 10, "{seen:?}");
}

/// The guard looks at root fields only. Further down the directive would be printed and keep nobody
/// out; what a type shows of itself is for its resolvers, which have a viewer.
#[test]
fn only_root_fields_say_that_they_are_guarded() {
    let mut open = Vec::new();
    for definition in &types() {
        let (name, fields) = (&definition.name.node, fields(definition));
        if !ROOTS.contains(&name.as_str()) {
            let guarded = fields.iter().filter(|field| guard(&field.node).is_some());
            open.extend(guarded.map(|field| format!("{name}.{}", field.node.name.node)));
        }
    }
    assert!(open.is_empty(), "printed as guarded, and open: {open:?}");
}

#[test]
fn every_type_and_field_is_described() {
    let mut silent = Vec::new();
    for definition in &types() {
        let name = &definition.name.node;
        let has_fields = !fields(definition).is_empty();
        if has_fields && definition.description.is_none() && !ROOTS.contains(&name.as_str()) {
            silent.push(name.to_string());
        }
        let undescribed =
            fields(definition).iter().filter(|field| field.node.description.is_none());
        silent.extend(undescribed.map(|field| format!("{name}.{}", field.node.name.node)));
    }
    assert!(silent.is_empty(), "{silent:?}");
}

/// A field that a document can begin with.
pub struct RootField {
    pub root: String,
    pub name: String,
    pub definition: FieldDefinition,
}

/// All of them.
pub fn root_fields() -> Vec<RootField> {
    let types = types();
    let roots = types.iter().filter(|kind| ROOTS.contains(&kind.name.node.as_str()));
    let fields = roots.flat_map(|root| fields(root).iter().map(move |field| (root, &field.node)));
    let named = fields.map(|(root, field)| RootField {
        root: root.name.node.to_string(),
        name: field.name.node.to_string(),
        definition: field.clone(),
    });
    named.collect()
}

/// The guard that a field declares.
pub fn guard(field: &FieldDefinition) -> Option<&ConstDirective> {
    let mut directives = field.directives.iter().map(|directive| &directive.node);
    directives.find(|directive| directive.name.node == "requiresAuth")
}

fn fields(definition: &TypeDefinition) -> &[Positioned<FieldDefinition>] {
    match &definition.kind {
        TypeKind::Object(object) => &object.fields,
        TypeKind::Interface(interface) => &interface.fields,
        _ => &[],
    }
}

/// Every type of the schema.
pub fn types() -> Vec<TypeDefinition> {
    let sdl = parse_schema(sallyport::graphql::sdl()).expect("SDL that can be read");
    let types = sdl.definitions.into_iter().filter_map(|definition| match definition {
        TypeSystemDefinition::Type(definition) => Some(definition.node),
        _ => None,
    });
    types.collect()
}
