import { createCertificate, generateKey } from "@porthole/common/identity";

/** A development certificate. */
export function selfSigned(): { readonly key: string; readonly cert: string } {
  const key = generateKey();
  const { pem } = createCertificate({
    key,
    commonName: "localhost",
    dnsNames: ["localhost"],
    notBefore: new Date(),
    days: 2,
  });
  return { key: key.pem, cert: pem };
}
