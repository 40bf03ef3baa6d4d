// Which documents are valid: the service and graphql-js agree, over the documents of documents.txt,
// one a line, and over such as chance makes of the schema. A seed makes the same ones again.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import {
  buildClientSchema, getIntrospectionQuery, getNamedType, isAbstractType, isCompositeType, isEnumType, isInputObjectType,
  isListType, isNonNullType, parse, validate,
} from 'graphql';
import { start } from './service.js';

const COUNT = 1000;
const SEED = Number(process.env.SEED ?? Date.now() % 1e6);
const REFUSED = ['GRAPHQL_PARSE_FAILED', 'GRAPHQL_VALIDATION_FAILED', 'BAD_USER_INPUT'];

let service, schema;
before(async () => {
  service = await start();
  const { data } = await ask(getIntrospectionQuery());
  schema = buildClientSchema(data);
});
after(() => service.stop());

async function ask(query, variables, operationName) {
  const streams = /^\s*subscription/.test(query);
  const response = await fetch(service.graphql, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: streams ? 'text/event-stream' : 'application/json' },
    body: JSON.stringify({ query, variables, operationName }),
  });
  const text = await response.text();
  return JSON.parse(streams ? /data: (.*)/.exec(text)[1] : text);
}

// What graphql-js finds wrong; undefined where nothing is.
function fault(document) {
  try {
    return validate(schema, parse(document))[0]?.message;
  } catch (error) {
    return error.message;
  }
}

// Whether both say the same; null where the service does not say, because it is too much.
async function agree(document, variables, operationName) {
  const { errors = [] } = await ask(document, variables, operationName);
  const early = errors.filter(error => !error.path);
  if (early.some(error => error.extensions.code === 'QUERY_TOO_COMPLEX')) return null;
  const refusal = early.find(error => REFUSED.includes(error.extensions.code));
  const theirs = fault(document);
  assert.equal(Boolean(refusal), Boolean(theirs), `${document}\nwe: ${refusal?.message}\ngraphql-js: ${theirs}`);
  return !theirs;
}

test('the documents of the file are judged as by graphql-js', async () => {
  const lines = readFileSync(new URL('documents.txt', import.meta.url), 'utf8').trim().split('\n');
  const seen = { true: 0, false: 0 };
  for (const line of lines) {
    const variables = line.includes('$a: Boolean!') ? { a: true } : line.includes('$u: String!') ? { u: 'x' } : {};
    const name = /^(?:query|mutation) ([AQ])\b/.exec(line)?.[1];
    seen[await agree(line, variables, name)] += 1;
  }
  assert.ok(seen.true > 30 && seen.false > 100, JSON.stringify(seen));
});

test('documents that chance makes are judged as by graphql-js', async () => {
  const seen = { true: 0, false: 0, null: 0 };
  for (let n = 0; n < COUNT; n += 1) {
    const { document, variables } = made(chance(SEED + n));
    seen[await agree(document, variables)] += 1;
  }
  assert.ok(seen.true > COUNT / 10 && seen.false > COUNT / 10, `seed ${SEED}: ${JSON.stringify(seen)}`);
});

// A generator of numbers (mulberry32) and what is made of them.
function chance(seed) {
  let state = seed | 0;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return { one: list => list[Math.floor(next() * list.length)], is: share => next() < share };
}

const LITERALS = ['1', '-3', '1.5', '"x"', '"""x"""', 'true', 'null', 'ACTIVE', 'ADMIN', 'NOPE', '[]', '["x"]', '[1, null]', '{}', '{ a: 1 }'];
const TYPES = ['Int', 'Int!', 'String', 'String!', 'ID', 'ID!', '[ID!]', '[ID!]!', '[ID]', 'Boolean', 'Boolean!', 'SessionState', 'SessionFilter', 'Role', 'Float', 'DateTime', 'TimeRange', '[AuditKind!]'];
const GIVEN = { Int: 1, Float: 1, String: 'x', ID: 'x', Boolean: true, SessionState: 'ACTIVE', Role: 'ADMIN', DateTime: '2026-11-24T08:00:00Z' };

function made({ one, is }) {
  const flawed = is(0.6);
  const flaw = share => flawed && is(share);
  const variables = new Map();
  const fragments = new Map();
  let aliases = 0;
  let fields = 0;

  // A variable, mostly of the type that is expected.
  const variable = type => {
    const name = one(['a', 'b', 'c', 'd', 'e', 'f']);
    if (!variables.has(name)) {
      const definition = flaw(0.3) ? one(TYPES) : String(type);
      const needs = definition.endsWith('!');
      variables.set(name, { definition, default: is(0.3) ? (flaw(0.2) ? one(LITERALS) : literal(type, true)) : undefined, needs });
    }
    return `$${name}`;
  };
  const literal = (type, constant) => {
    if (flaw(0.04)) return one(LITERALS);
    if (!constant && is(0.12)) return variable(type);
    if (isNonNullType(type)) return literal(type.ofType, constant);
    if (flaw(0.02)) return 'null';
    return literalOf(type, constant);
  };
  const literalOf = (type, constant) => {
    if (isListType(type)) return is(0.2) ? literal(type.ofType, constant) : `[${[1, 2].filter(() => is(0.6)).map(() => literal(type.ofType, constant))}]`;
    if (isEnumType(type)) return one(type.getValues()).name;
    if (isInputObjectType(type)) {
      const members = Object.values(type.getFields()).filter(field => isNonNullType(field.type) || is(0.3));
      if (flaw(0.03)) members.push({ name: 'nope', type: schema.getType('Int') });
      if (flaw(0.03) && members.length > 0) members.push(members[0]);
      return `{ ${members.map(({ name, type: of }) => `${name}: ${literal(of, constant)}`).join(', ')} }`;
    }
    return { Int: '1', Float: '1.5', String: '"x"', ID: '"x"', Boolean: 'true', DateTime: '"2026-11-24T08:00:00Z"' }[type.name] ?? '"x"';
  };
  const given = (definitions, share) => {
    const chosen = definitions.filter(({ type, defaultValue }) => (isNonNullType(type) && defaultValue === undefined ? !flaw(0.05) : is(share)));
    if (flaw(0.02) && chosen.length > 0) chosen.push(chosen[0]);
    if (flaw(0.02)) chosen.push({ name: 'nope', type: schema.getType('Int') });
    return chosen.length === 0 ? '' : `(${chosen.map(({ name, type }) => `${name}: ${literal(type)}`).join(', ')})`;
  };
  // async-graphql does not see a variable that is used at `__typename` only.
  const directive = constant => {
    if (!is(0.06)) return '';
    const name = flaw(0.15) ? one(['nope', 'deprecated', 'requiresAuth']) : one(['include', 'skip']);
    if (constant) return ` @${name}(if: true)`;
    return ` @${name}${given([{ name: 'if', type: schema.getDirective('skip').args[0].type }], 1)}`;
  };
  const selections = (type, depth) => {
    const own = isCompositeType(type) ? Object.values(type.getFields()) : [];
    const items = [];
    for (let n = 0; n < 1 + Number(is(0.7)) + Number(is(0.5)); n += 1) {
      fields += 1;
      const composite = own.filter(field => isCompositeType(getNamedType(field.type)));
      const leaves = own.filter(field => !isCompositeType(getNamedType(field.type)));
      const deep = depth > 0 && fields < 40 && composite.length > 0 && (leaves.length === 0 || is(0.5));
      if (is(0.12) && depth > 0) {
        const on = flaw(0.15) ? one(['Session', 'User', 'Node', 'Role', 'SessionConnection']) : one([type.name, 'Node', 'User', 'Session'].filter(name => possible(type, name)));
        items.push(is(0.5) && !flaw(0.1) ? `...${directive()} { ${selections(type, depth - 1)} }` : `... on ${on}${directive()} { ${selections(schema.getType(on), depth - 1)} }`);
      } else if (is(0.1)) {
        const known = [...fragments].filter(([, fragment]) => flaw(0.1) || possible(type, fragment.on));
        const name = known.length > 0 && is(0.5) ? one(known)[0] : `F${fragments.size}`;
        if (!fragments.has(name) && fragments.size < 4) {
          fragments.set(name, { on: type.name, body: '__typename' });
          fragments.get(name).body = selections(type, depth - 1);
        }
        items.push(`...${fragments.has(name) ? name : 'F0'}${directive()}`);
      } else {
        const choice = deep ? composite : leaves;
        const alias = aliases < 8 && is(0.15) ? `${one(['x', 'y', 'id', 'nodes'])}: ` : '';
        aliases += alias ? 1 : 0;
        if (choice.length === 0 || is(0.05)) items.push(`${alias}__typename${directive(true)}${flaw(0.05) ? one([' { id }', '(a: 1)', ' @nope']) : ''}`);
        else {
          const field = one(choice);
          const name = flaw(0.02) ? 'nope' : field.name;
          const inner = isCompositeType(getNamedType(field.type)) !== flaw(0.02);
          const below = isCompositeType(getNamedType(field.type)) ? getNamedType(field.type) : type;
          items.push(`${alias}${name}${given(field.args, 0.2)}${directive()}${inner ? ` { ${selections(below, depth - 1)} }` : ''}`);
        }
      }
    }
    return items.join(' ');
  };
  const possible = (type, name) => {
    const of = some => (isAbstractType(some) ? schema.getPossibleTypes(some) : [some]);
    return of(type).some(one => of(schema.getType(name)).includes(one));
  };

  const body = selections(schema.getQueryType(), 4);
  const definitions = [...variables].map(([name, of]) => `$${name}: ${of.definition}${of.default === undefined ? '' : ` = ${of.default}`}`);
  const head = definitions.length > 0 ? `query (${definitions.join(', ')}) ` : '';
  const tail = [...fragments].map(([name, { on, body: inner }]) => ` fragment ${name} on ${on} { ${inner} }`);
  const needed = [...variables].filter(([, of]) => of.needs && of.default === undefined);
  const value = ({ definition }) => {
    const name = definition.replace(/[[\]!]/g, '');
    const single = GIVEN[name] ?? (isEnumType(schema.getType(name)) ? schema.getType(name).getValues()[0].name : {});
    return definition.startsWith('[') ? [single] : single;
  };
  return { document: `${head}{ ${body} }${tail.join('')}`, variables: Object.fromEntries(needed.map(([name, of]) => [name, value(of)])) };
}
