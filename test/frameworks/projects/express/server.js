import express from "express";

const port = Number(process.argv[2]);
const app = express();
app.get("/", (request, response) => {
  response.cookie("session", "of a visitor", { domain: "localhost", httpOnly: true });
  // What an application does that was written for one machine.
  response.redirect(`http://localhost:${port}/hello`);
});
app.get("/hello", (request, response) => {
  response.send(`<h1>Hello</h1><p>${request.get("cookie")}</p>`);
});
app.listen(port, "127.0.0.1", () => console.log("listening"));
