import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/controls.css";
import "./styles/layout.css";
import "./styles/tree.css";
import "./styles/editor.css";
import "./styles/lists.css";
import { render } from "preact";
import { listenToKeys } from "./keyboard";
import { App } from "./pages/App";
import { apply } from "./theme";

apply();
listenToKeys();
render(<App />, document.getElementById("app")!);
