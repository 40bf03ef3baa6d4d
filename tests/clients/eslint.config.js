// The schema, as the linter of the field likes it. `nodes` beside `edges` is what many clients page
// with, so a list may hold more than edges.
import graphql from '@graphql-eslint/eslint-plugin';

const { rules: recommended } = graphql.configs['flat/schema-recommended'];
const { rules: relay } = graphql.configs['flat/schema-relay'];

export default [
  {
    files: ['**/*.graphql'],
    plugins: { '@graphql-eslint': graphql },
    languageOptions: { parser: graphql.parser, parserOptions: { graphQLConfig: { schema: './schema.graphql' } } },
    rules: {
      ...recommended,
      ...relay,
      // One line is printed as one, and more as a block.
      '@graphql-eslint/description-style': 'off',
      // What is fetched by itself has an id; what only stands inside of something else has none.
      '@graphql-eslint/strict-id-in-types': [
        'error',
        {
          exceptions: {
            types: ['ImportStatus', 'LoginChallenge', 'PageInfo', 'SecondFactors', 'SessionClient', 'SessionEnded', 'TokenPair', 'TokenStatus', 'UserError'],
            suffixes: ['Payload', 'Connection', 'Edge'],
          },
        },
      ],
      // `username` is the word for it, wherever it stands.
      '@graphql-eslint/no-typename-prefix': 'off',
      '@graphql-eslint/relay-edge-types': [
        'error',
        { withEdgeSuffix: true, shouldImplementNode: true, listTypeCanWrapOnlyEdgeType: false },
      ],
    },
  },
];
