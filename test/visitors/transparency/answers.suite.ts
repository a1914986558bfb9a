import { slug, type AnswerCase, type AnswerCases } from "./cases/answer-case.ts";
import { answers } from "./cases/answers.ts";
import { readAnswer } from "./http1.ts";
import { judge } from "./judge.ts";
import { answerDifferences, type SeenAnswer } from "./messages.ts";
import { dialHttp1, visitHttp1 } from "./visitors.ts";
import type { World } from "./world.ts";

export function declareAnswers(world: () => World, corpora: Readonly<Record<string, AnswerCases>> = answers): void {
  for (const [corpus, cases] of Object.entries(corpora)) {
    describe(corpus, () => {
      for (const [name, answer] of Object.entries(cases)) {
        it(`${name}, over HTTP/1.1`, async () => {
          const tunnelled = await visitHttp1(await dialHttp1(world().scope, world().site), http1Visit(name, answer));
          const where = {
            message: "answer",
            name,
            visitor: "HTTP/1.1",
            service: world().kind,
            client: "socket",
          } as const;
          judge(where, answerDifferences(await direct(name, answer), tunnelled));
        });

        it(`${name}, over HTTP/2`, async () => {
          const { method = "GET", upload } = answer;
          const body = upload === undefined ? undefined : "x".repeat(upload);
          const tunnelled = await world().http2.visit({ method, target: `/${slug(name)}`, fields: [], body });
          const where = {
            message: "answer",
            name,
            visitor: "HTTP/2",
            service: world().kind,
            client: "node:http2",
          } as const;
          judge(where, answerDifferences(await direct(name, answer), tunnelled));
        });
      }
    });
  }

  async function direct(name: string, answer: AnswerCase): Promise<SeenAnswer> {
    // Node drops what it has received when a write fails; other clients read it.
    if (answer.early) return readAnswer(answer.bytes, answer.method ?? "GET", "end") as SeenAnswer;
    return visitHttp1(await world().dial(), http1Visit(name, answer));
  }

  function http1Visit(name: string, { method = "GET", upload }: AnswerCase) {
    const { hostname, port } = world().site;
    const body = upload === undefined ? "" : "x".repeat(upload);
    const length = upload === undefined ? "" : `Content-Length: ${upload}\r\n`;
    return { bytes: `${method} /${slug(name)} HTTP/1.1\r\nHost: ${hostname}:${port}\r\n${length}\r\n${body}`, method };
  }
}
