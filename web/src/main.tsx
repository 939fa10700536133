import { render } from "preact";
import "./style/base.css";
import "./style/layout.css";
import "./style/controls.css";
import "./style/tree.css";
import "./style/explore.css";
import "./style/detail.css";
import "./style/table.css";
import "./style/changes.css";
import "./style/pages.css";
import { App } from "./ui/app";

const root = document.getElementById("app");
if (root) render(<App />, root);
