// Calls the service: node client.mjs NAME:443
import { readFileSync } from "node:fs";
import { credentials, makeGenericClientConstructor } from "@grpc/grpc-js";
import { echo } from "./echo.mjs";

const Echo = makeGenericClientConstructor(echo, "Echo");
// A relay on this machine has no trusted certificate; GRPC_CA names the file that the client keeps it in.
const ca = process.env.GRPC_CA ? readFileSync(process.env.GRPC_CA) : undefined;
const client = new Echo(process.argv[2], credentials.createSsl(ca));

client.say("hello", (error, answer) => {
  console.log(error ? error.message : answer);
  const talk = client.talk();
  talk.on("data", (message) => console.log(message));
  talk.on("end", () => client.close());
  for (const word of ["one", "two"]) talk.write(word);
  talk.end();
});
