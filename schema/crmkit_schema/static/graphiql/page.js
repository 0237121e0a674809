// The token lives in this tab only: sessionStorage ends with it and is not shared with other tabs.
const KEY = "crmkit.token";
const ASK_FOR_TOKEN = "Paste an access token to send requests.";
const field = document.getElementById("token");
const status = document.getElementById("status");
const root = ReactDOM.createRoot(document.getElementById("graphiql"));
let generation = 0;

async function ask(operation) {
  const token = sessionStorage.getItem(KEY);
  if (!token) return { errors: [{ message: ASK_FOR_TOKEN }] };
  const answer = await fetch("graphql", {
    method: "POST",
    headers: {
      "Accept": "application/graphql-response+json, application/json;q=0.9",
      "Authorization": `Bearer ${token}`,
      "Content-Type": "application/json",
    },
    body: JSON.stringify(operation),
    credentials: "omit",
  });
  if (answer.status === 401) status.value = "This token is not accepted.";
  return answer.json();
}

function render() {
  const token = sessionStorage.getItem(KEY);
  status.value = token ? "" : ASK_FOR_TOKEN;
  field.value = token ?? "";
  generation += 1;
  // A new key makes a new editor, which asks for the schema again with the new token.
  const editor = React.createElement(GraphiQL, {
    key: generation,
    fetcher: ask,
    defaultQuery: "# Ctrl-Enter runs the query\n# Ctrl-Space completes it\n\n{\n  __typename\n}\n",
    isHeadersEditorEnabled: false,
    showPersistHeadersSettings: false,
  });
  root.render(editor);
}

document.getElementById("access").addEventListener("submit", (event) => {
  event.preventDefault();
  const token = field.value.trim();
  if (token) sessionStorage.setItem(KEY, token);
  else sessionStorage.removeItem(KEY);
  render();
});

document.getElementById("forget").addEventListener("click", () => {
  sessionStorage.removeItem(KEY);
  render();
});

render();
