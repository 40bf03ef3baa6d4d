//! Descriptions of the schema.

use async_graphql::Positioned;
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    FieldDefinition, InputValueDefinition, TypeDefinition, TypeKind, TypeSystemDefinition,
};

use super::{is_sentence, riddle, words};

#[test]
fn descriptions_of_the_schema_are_plain() {
    let described = descriptions();
    assert!(described.len() > 300, "{}", described.len());
    let faults: Vec<_> = described.iter().filter_map(fault).collect();
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

fn fault((name, description): &(String, Option<String>)) -> Option<String> {
    let Some(text) = description else { return Some(format!("{name}: has no description")) };
    if let Some(form) = riddle(text) {
        return Some(format!("{name}: {form:?} in {text:?}"));
    }
    if !is_sentence(text) {
        return Some(format!("{name}: no sentence, {text:?}"));
    }
    let last = name.rsplit(['.', ':']).next()?;
    repeats(last, text).then(|| format!("{name}: repeats its name, {text:?}"))
}

/// Everything that has a name in the schema, with its description.
fn descriptions() -> Vec<(String, Option<String>)> {
    let sdl = parse_schema(sallyport::graphql::sdl()).expect("SDL that can be read");
    let mut found = Vec::new();
    for definition in sdl.definitions {
        match definition {
            TypeSystemDefinition::Type(definition) => of_type(&definition.node, &mut found),
            TypeSystemDefinition::Directive(directive) => {
                let directive = directive.node;
                // Its description is the library's.
                if directive.name.node == "oneOf" {
                    continue;
                }
                let description = directive.description.map(|text| text.node);
                found.push((format!("@{}", directive.name.node), description));
            }
            TypeSystemDefinition::Schema(_) => {}
        }
    }
    found
}

fn of_type(definition: &TypeDefinition, found: &mut Vec<(String, Option<String>)>) {
    let name = definition.name.node.as_str();
    found.push((name.to_owned(), text(definition.description.as_ref())));
    match &definition.kind {
        TypeKind::Object(object) => of_fields(name, &object.fields, found),
        TypeKind::Interface(interface) => of_fields(name, &interface.fields, found),
        TypeKind::Enum(values) => {
            for value in &values.values {
                let value = &value.node;
                let description = text(value.description.as_ref());
                found.push((format!("{name}.{}", value.value.node), description));
            }
        }
        TypeKind::InputObject(input) => of_inputs(name, &input.fields, found),
        TypeKind::Scalar | TypeKind::Union(_) => {}
    }
}

fn of_fields(
    of: &str,
    fields: &[Positioned<FieldDefinition>],
    found: &mut Vec<(String, Option<String>)>,
) {
    for field in fields {
        let field = &field.node;
        let name = format!("{of}.{}", field.name.node);
        of_inputs(&name, &field.arguments, found);
        found.push((name, text(field.description.as_ref())));
    }
}

fn of_inputs(
    of: &str,
    inputs: &[Positioned<InputValueDefinition>],
    found: &mut Vec<(String, Option<String>)>,
) {
    for input in inputs {
        let input = &input.node;
        // The only argument of a mutation is described by its type, unless it may be left out.
        if input.name.node == "input" && !input.ty.node.nullable {
            continue;
        }
        found.push((format!("{of}:{}", input.name.node), text(input.description.as_ref())));
    }
}

fn text(description: Option<&Positioned<String>>) -> Option<String> {
    description.map(|text| text.node.clone())
}

/// Whether a description has no other words than the name that it describes.
fn repeats(name: &str, description: &str) -> bool {
    let spaced: String = if name.chars().any(char::is_lowercase) {
        name.chars().flat_map(|c| c.is_uppercase().then_some(' ').into_iter().chain([c])).collect()
    } else {
        name.replace('_', " ")
    };
    let singular = |word: &String| word.trim_end_matches('s').to_owned();
    let of_name: Vec<_> = words(&spaced).iter().map(singular).collect();
    let said = words(description);
    let mut said = said.iter().filter(|word| !["a", "an", "of", "the"].contains(&word.as_str()));
    said.all(|word| of_name.contains(&singular(word)))
}

#[test]
fn a_description_that_repeats_its_name_is_found() {
    for (name, description) in [
        ("session", "The session."),
        ("endedCount", "Count of the ended."),
        ("LOGOUT_ALL", "All logouts."),
        ("SigningKeyState", "State of a signing key."),
    ] {
        assert!(repeats(name, description), "{name}");
    }
    assert!(!repeats("session", "Renamed session; null on failure."));
}
