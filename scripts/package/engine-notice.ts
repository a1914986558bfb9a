/**
 * What is linked into the binaries of `@matrixai/quic` 1.2.12, as its Cargo.lock and the binaries themselves show; of the
 * packages on npm only the wrapper's licence comes along.
 */
const crates: readonly (readonly [name: string, version: string, licence: string])[] = [
  ["boring", "3.1.0", "Apache-2.0"],
  ["boring-sys (BoringSSL)", "3.1.0", "MIT AND OpenSSL AND ISC"],
  ["intrusive-collections", "0.9.6", "Apache-2.0 OR MIT"],
  ["log", "0.4.17", "MIT OR Apache-2.0"],
  ["napi", "2.10.1", "MIT"],
  ["num_cpus", "1.14.0", "MIT OR Apache-2.0"],
  ["octets", "0.2.0", "BSD-2-Clause"],
  ["once_cell", "1.18.0", "MIT OR Apache-2.0"],
  ["quiche", "0.18.0", "BSD-2-Clause"],
  ["ring", "0.16.20", "ISC AND MIT AND OpenSSL"],
  ["slab", "0.4.7", "MIT"],
  ["smallvec", "1.10.0", "MIT OR Apache-2.0"],
  ["spin", "0.5.2", "MIT"],
  ["thread_local", "1.1.4", "MIT OR Apache-2.0"],
  ["tokio", "1.22.0", "MIT"],
];

/** quiche and octets ask that their terms go with binaries, word for word. */
const quicheTerms = `Copyright (C) 2018, Cloudflare, Inc.
Copyright (C) 2018, Alessandro Ghedini
All rights reserved.

Redistribution and use in source and binary forms, with or without
modification, are permitted provided that the following conditions are met:

    * Redistributions of source code must retain the above copyright
      notice, this list of conditions and the following disclaimer.

    * Redistributions in binary form must reproduce the above copyright
      notice, this list of conditions and the following disclaimer in the
      documentation and/or other materials provided with the distribution.

THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS "AS IS" AND
ANY EXPRESS OR IMPLIED WARRANTIES, INCLUDING, BUT NOT LIMITED TO, THE IMPLIED
WARRANTIES OF MERCHANTABILITY AND FITNESS FOR A PARTICULAR PURPOSE ARE
DISCLAIMED. IN NO EVENT SHALL <COPYRIGHT HOLDER> BE LIABLE FOR ANY
DIRECT, INDIRECT, INCIDENTAL, SPECIAL, EXEMPLARY, OR CONSEQUENTIAL DAMAGES
(INCLUDING, BUT NOT LIMITED TO, PROCUREMENT OF SUBSTITUTE GOODS OR SERVICES;
LOSS OF USE, DATA, OR PROFITS; OR BUSINESS INTERRUPTION) HOWEVER CAUSED AND
ON ANY THEORY OF LIABILITY, WHETHER IN CONTRACT, STRICT LIABILITY, OR TORT
(INCLUDING NEGLIGENCE OR OTHERWISE) ARISING IN ANY WAY OUT OF THE USE OF THIS
SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE.`;

export const engineNotice = `${crates.map(([name, version, licence]) => `${name} ${version}: ${licence}`).join("\n")}

Sources and full texts: https://crates.io/crates/<name>/<version>

quiche and octets:

${quicheTerms}`;
