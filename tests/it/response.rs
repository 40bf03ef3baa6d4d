//! Checker of responses: members, types and nulls as the schema permits (GraphQL specification, sections
//! 6.4.3 and 6.4.4).

use std::collections::BTreeSet;

use async_graphql::parser::types::{
    BaseType, ExecutableDocument, FieldDefinition, Selection, SelectionSet, Type, TypeDefinition,
    TypeKind, TypeSystemDefinition,
};
use async_graphql::parser::{parse_query, parse_schema};
use serde_json::Value;

/// The types of a schema.
pub struct Schema(Vec<TypeDefinition>);

/// A selected field: its response name, its type and what is selected of it.
struct Selected<'a> {
    key: &'a str,
    ty: Type,
    inner: Vec<&'a SelectionSet>,
}

impl Schema {
    pub fn parse(sdl: &str) -> Self {
        let sdl = parse_schema(sdl).expect("SDL that can be read");
        let types = sdl.definitions.into_iter().filter_map(|definition| match definition {
            TypeSystemDefinition::Type(definition) => Some(definition.node),
            _ => None,
        });
        Self(types.collect())
    }

    /// The fields of an object or an interface, those of its extensions too.
    pub fn fields(&self, of: &str) -> Vec<&FieldDefinition> {
        let definitions = self.0.iter().filter(|definition| definition.name.node == of);
        let fields = definitions.flat_map(|definition| match &definition.kind {
            TypeKind::Object(object) => object.fields.as_slice(),
            TypeKind::Interface(interface) => interface.fields.as_slice(),
            _ => &[],
        });
        fields.map(|field| &field.node).collect()
    }

    /// The objects that a value of this type may be.
    pub fn objects(&self, ty: &str) -> Vec<&str> {
        let named = self.0.iter().find(|definition| definition.name.node == ty);
        let is_member = |name: &str| match named.map(|definition| &definition.kind) {
            Some(TypeKind::Union(union)) => union.members.iter().any(|member| member.node == name),
            _ => name == ty,
        };
        let is_one = |definition: &&TypeDefinition| match &definition.kind {
            TypeKind::Object(object) => {
                is_member(&definition.name.node) || object.implements.iter().any(|i| i.node == ty)
            }
            _ => false,
        };
        let objects = self.0.iter().filter(|definition| !definition.extend).filter(is_one);
        objects.map(|definition| definition.name.node.as_str()).collect()
    }

    /// Fails if the response to the document does not conform to this schema.
    #[track_caller]
    pub fn check(&self, document: &str, answer: &Value) {
        let parsed = parse_query(document).expect("a document");
        let (_, operation) = parsed.operations.iter().next().expect("an operation");
        let root = operation.node.ty.to_string();
        let root = format!("{}{}", root[..1].to_uppercase(), &root[1..]);
        let context = format!("{document}: {answer}");
        let check = Check { schema: self, document: &parsed, context };
        check.response(&root, &operation.node.selection_set.node, answer);
    }
}

struct Check<'a> {
    schema: &'a Schema,
    document: &'a ExecutableDocument,
    context: String,
}

impl<'a> Check<'a> {
    fn response(&self, root: &str, selections: &'a SelectionSet, answer: &Value) {
        let data = answer.get("data").unwrap_or_else(|| panic!("no data: {}", self.context));
        if !data.is_null() {
            self.object(root, &[selections], data);
        }
        let errors = answer["errors"].as_array().map_or(&[][..], Vec::as_slice);
        let (mut allowed, mut nulls, mut paths) =
            (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for error in errors {
            let path = error["path"].as_array().unwrap_or_else(|| panic!("{}", self.context));
            assert!(paths.insert(error["path"].to_string()), "told twice: {}", self.context);
            // How many steps there are from `data` to the nearest position that may be null.
            let nullable = self.nullable(root, selections, path);
            let nearest =
                nullable.iter().rposition(|nullable| *nullable).map_or(0, |last| last + 1);
            allowed.insert(path[..nearest].iter().map(Value::to_string).collect::<Vec<_>>());
            let (mut value, mut depth) = (data, 0);
            while !value.is_null() {
                let Some(step) = path.get(depth) else { panic!("not null: {}", self.context) };
                value = match step {
                    Value::String(name) => &value[name],
                    index => {
                        let index = index.as_u64().and_then(|index| usize::try_from(index).ok());
                        &value[index.expect("an index")]
                    }
                };
                depth += 1;
            }
            assert!(depth <= nearest, "{}: {}", error["path"], self.context);
            nulls.insert(path[..depth].iter().map(Value::to_string).collect::<Vec<_>>());
        }
        assert!(nulls.is_subset(&allowed), "null too far up: {}", self.context);
        assert!(!data.is_null() || !errors.is_empty(), "{}", self.context);
    }

    /// Nullability of each position on the path.
    fn nullable(&self, root: &str, selections: &'a SelectionSet, path: &[Value]) -> Vec<bool> {
        let (mut of, mut sets) = (root.to_owned(), vec![selections]);
        let (mut nullable, mut at): (Vec<bool>, Option<Type>) = (Vec::new(), None);
        for step in path {
            let ty = match step {
                Value::String(key) => {
                    let mut selected = Vec::new();
                    for set in &sets {
                        self.select(&of, None, set, &mut selected);
                    }
                    let found = selected.into_iter().find(|field| field.key == key);
                    let found = found.unwrap_or_else(|| panic!("no {key}: {}", self.context));
                    sets = found.inner;
                    found.ty
                }
                _ => match at.map(|ty| ty.base) {
                    Some(BaseType::List(item)) => *item,
                    _ => panic!("no list: {}", self.context),
                },
            };
            nullable.push(ty.nullable);
            named(&ty).clone_into(&mut of);
            at = Some(ty);
        }
        nullable
    }

    fn object(&self, of: &str, sets: &[&'a SelectionSet], value: &Value) {
        let members = value.as_object().unwrap_or_else(|| panic!("{of}: {}", self.context));
        let concrete = match self.schema.objects(of).as_slice() {
            [only] => (*only).to_owned(),
            _ => members["__typename"].as_str().expect("the type's name").to_owned(),
        };
        let mut selected = Vec::new();
        for set in sets {
            self.select(&concrete, Some(&concrete), set, &mut selected);
        }
        let keys: Vec<_> = selected.iter().map(|field| field.key).collect();
        let is_member = |key: &&String| keys.contains(&key.as_str());
        assert!(members.keys().all(|key| is_member(&key)), "{of}: {}", self.context);
        for field in selected {
            let member = members.get(field.key);
            let member = member.unwrap_or_else(|| panic!("{}: {}", field.key, self.context));
            self.value(&field.ty, &field.inner, member);
        }
    }

    fn value(&self, ty: &Type, sets: &[&'a SelectionSet], value: &Value) {
        match &ty.base {
            _ if value.is_null() => assert!(ty.nullable, "null for {ty}: {}", self.context),
            BaseType::List(item) => {
                let items = value.as_array().unwrap_or_else(|| panic!("{ty}: {}", self.context));
                for value in items {
                    self.value(item, sets, value);
                }
            }
            BaseType::Named(name) if self.schema.objects(name).is_empty() => {
                let right = match name.as_str() {
                    "Int" => value.is_i64(),
                    "Boolean" => value.is_boolean(),
                    "DateTime" => value.as_str().is_some_and(is_moment),
                    _ => value.is_string(),
                };
                assert!(right, "{value} for {ty}: {}", self.context);
            }
            BaseType::Named(name) => self.object(name, sets, value),
        }
    }

    /// `CollectFields()`; of whatever object, where `concrete` is not known.
    fn select(
        &self,
        of: &str,
        concrete: Option<&str>,
        set: &'a SelectionSet,
        selected: &mut Vec<Selected<'a>>,
    ) {
        for selection in &set.items {
            let (condition, inner) = match &selection.node {
                Selection::Field(field) => {
                    let key = field.node.response_key().node.as_str();
                    let inner = &field.node.selection_set.node;
                    let name = field.node.name.node.as_str();
                    if let Some(field) = selected.iter_mut().find(|field| field.key == key) {
                        field.inner.push(inner);
                    } else {
                        let ty = self.ty(of, name);
                        selected.push(Selected { key, ty, inner: vec![inner] });
                    }
                    continue;
                }
                Selection::InlineFragment(inline) => {
                    let condition = inline.node.type_condition.as_ref();
                    (condition, &inline.node.selection_set.node)
                }
                Selection::FragmentSpread(spread) => {
                    let fragment = &self.document.fragments[&spread.node.fragment_name.node].node;
                    (Some(&fragment.type_condition), &fragment.selection_set.node)
                }
            };
            let condition = condition.map(|condition| condition.node.on.node.as_str());
            let applies = condition.is_none_or(|condition| {
                concrete.is_none_or(|concrete| self.schema.objects(condition).contains(&concrete))
            });
            if applies {
                self.select(condition.unwrap_or(of), concrete, inner, selected);
            }
        }
    }

    fn ty(&self, of: &str, field: &str) -> Type {
        if field == "__typename" {
            return Type::new("String!").expect("a type");
        }
        let fields = self.schema.fields(of);
        let found = fields.iter().find(|definition| definition.name.node == field);
        found.unwrap_or_else(|| panic!("no {of}.{field}")).ty.node.clone()
    }
}

/// The name of the type in the lists.
pub fn named(ty: &Type) -> &str {
    match &ty.base {
        BaseType::List(item) => named(item),
        BaseType::Named(name) => name,
    }
}

/// Whether this is a time in UTC with exactly three digits of the second.
pub fn is_moment(text: &str) -> bool {
    let form = "2026-11-24T08:00:00.000Z";
    let digit = |c: char| if c.is_ascii_digit() { '0' } else { c };
    text.chars().map(digit).eq(form.chars().map(digit))
}
