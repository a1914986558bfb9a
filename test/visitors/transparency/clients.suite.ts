import assert from "node:assert/strict";
import { answers } from "./cases/answers.ts";
import { slug, type AnswerCase } from "./cases/answer-case.ts";
import type { Client, ClientVisit } from "./clients/client.ts";
import { clients } from "./clients/clients.ts";
import { judge } from "./judge.ts";
import { answerDifferences, type SeenAnswer } from "./messages.ts";
import { closingPath } from "./raw-service.ts";
import type { World } from "./world.ts";

/** The answers that programs read in ways of their own. */
const corpora = [
  "answers and their framing",
  "answers that browsers read all the same",
  "answers that break off",
  "answers before the request is read",
] as const satisfies readonly (keyof typeof answers)[];

/** The responses once more, read by the programs that people visit with. */
export function declareClients(world: () => World): void {
  const cases = corpora
    .flatMap((corpus) => Object.entries<AnswerCase>(answers[corpus]))
    .filter(([, { upload = 0 }]) => upload <= 200_000);
  const visits = cases.map(([name, answer]) => visitOf(name, answer));

  for (const client of clients)
    it(`${client.reader} over ${client.visitor}`, async function () {
      this.timeout(180_000);
      await client.need(this);
      const { scope, site, service } = world();
      const direct = await client.read(scope, { origin: `http://127.0.0.1:${service.port}` }, visits);
      const tunnelled = await client.read(scope, { origin: site.origin, site }, visits);
      const failures = cases.flatMap(([name], index) => failureOf(client, name, direct[index], tunnelled[index]));
      assert.ok(failures.length === 0, `${failures.length} of ${cases.length}:\n${failures.join("\n")}`);
    });

  function failureOf(client: Client, name: string, direct?: SeenAnswer, tunnelled?: SeenAnswer): string[] {
    if (!direct || !tunnelled) return [`${name}: no answer was read`];
    const { reader, visitor } = client;
    try {
      const where = { message: "answer", name, visitor, service: world().kind, client: reader } as const;
      judge(where, answerDifferences(direct, tunnelled));
      return [];
    } catch (reason) {
      return [`${name}: ${(reason as Error).message.split("\n").slice(-3).join("; ")}`];
    }
  }
}

function visitOf(name: string, { method = "GET", upload }: AnswerCase): ClientVisit {
  return { method, path: closingPath + slug(name), ...(upload === undefined ? {} : { upload }) };
}
