import { revalidatePath } from "next/cache";
import { Counter } from "./counter";

let count = 0;

async function increment() {
  "use server";
  count += 1;
  revalidatePath("/");
}

export default function Page() {
  return (
    <main>
      <h1>Written once</h1>
      <Counter />
      <form action={increment}>
        <button id="action">{`Server says ${count}`}</button>
      </form>
    </main>
  );
}
