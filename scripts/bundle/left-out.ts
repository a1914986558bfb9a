import type { Plugin } from "esbuild";

/**
 * Parts of libraries that no program of ours reaches, and that would be half of a bundle. What stands in for them throws a
 * TypeError when it is used after all; test/certificates/bundle.test.ts orders certificates with a bundle.
 */
const leftOut = [
  // acme-client's old way to make requests; it takes all of node-forge with it.
  { file: /[\\/]acme-client[\\/]src[\\/]crypto[\\/]forge\.js$/, instead: "module.exports = {};" },
  // What form-data calls a file's type by its ending; axios brings it, and we send no forms.
  { file: /[\\/]mime-db[\\/]index\.js$/, instead: "module.exports = {};" },
  // acme-client makes and reads certificates with it. Ours are made in identity; what is left is one PEM text's way to DER.
  {
    file: /[\\/]@peculiar[\\/]x509[\\/]build[\\/]x509\.[\w.]*js$/,
    instead: `
      exports.cryptoProvider = { set() {} };
      exports.PemConverter = {
        decodeWithHeaders: (text) =>
          [...text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----([^-]*)-----END \\1-----/g)].map(([, type, base64]) => ({
            type,
            headers: [],
            rawData: Buffer.from(base64, "base64"),
          })),
        decodeFirst: (text) => exports.PemConverter.decodeWithHeaders(text)[0].rawData,
        encode: ([{ type, rawData }]) =>
          \`-----BEGIN \${type}-----\\n\${rawData.toString("base64").replace(/.{64}(?=.)/g, "$&\\n")}\\n-----END \${type}-----\`,
      };
    `,
  },
  // prom-client asks it for the present trace when exemplars are on; ours are off.
  { file: /[\\/]@opentelemetry[\\/]api[\\/]dist[\\/]index\.\w+$/, instead: "module.exports = {};" },
  // What the library of MCP checks a user's form with; we ask for a yes and for no fields. It takes all of ajv with it.
  {
    file: /[\\/]@modelcontextprotocol[\\/]sdk[\\/]dist[\\/]esm[\\/]validation[\\/]ajv-provider\.js$/,
    instead: "export class AjvJsonSchemaValidator { getValidator = () => (data) => ({ valid: true, data }); }",
  },
  { file: /[\\/]asn1js[\\/]build[\\/]index\.[\w.]*js$/, instead: "module.exports = {};" },
];

export const leaveOut: Plugin = {
  name: "leave-out",
  setup(build) {
    for (const { file, instead } of leftOut)
      build.onLoad({ filter: file }, () => ({ contents: instead, loader: "js" }));
  },
};
