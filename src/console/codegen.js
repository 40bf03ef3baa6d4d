// Code generation of source/api/generated.ts: a typed document for each operation in source/**/*.graphql,
// validated against `schema.graphql`.
import { generate } from '@graphql-codegen/cli';

export const generateTypes = () =>
  generate({
    cwd: import.meta.dirname,
    silent: true,
    schema: '../../schema.graphql',
    documents: 'source/**/*.graphql',
    generates: {
      'source/api/generated.ts': {
        plugins: ['typescript-operations', 'typed-document-node'],
        config: {
          documentMode: 'string',
          enumType: 'string-literal',
          scalars: { DateTime: 'string', ID: 'string', JsonObject: 'Record<string, unknown>' },
          strictScalars: true,
          useTypeImports: true,
        },
      },
    },
  });
