// Code generation: a typed document for each operation of the console in source/api/generated.ts, and of the
// pages of links in e-mails in source/account/generated.ts, validated against `schema.graphql`.
import { generate } from '@graphql-codegen/cli';

const output = documents => ({
  documents,
  plugins: ['typescript-operations', 'typed-document-node'],
  config: {
    documentMode: 'string',
    enumType: 'string-literal',
    scalars: { DateTime: 'string', ID: 'string', JsonObject: 'Record<string, unknown>', WebAuthnJson: 'Record<string, unknown>' },
    strictScalars: true,
    useTypeImports: true,
  },
});

export const generateTypes = () =>
  generate({
    cwd: import.meta.dirname,
    silent: true,
    schema: '../../schema.graphql',
    generates: {
      'source/api/generated.ts': output('source/{api,pages}/**/*.graphql'),
      'source/account/generated.ts': output('source/account/**/*.graphql'),
    },
  });
