// Pages for when there is nothing to read yet, or no more.

import type { JSX } from "preact";
import { Logo } from "./icons";

function Notice({ title, children }: { title: string; children: JSX.Element | JSX.Element[] }): JSX.Element {
  return (
    <main class="notice" id="main" tabIndex={-1}>
      <div class="card">
        <Logo />
        <h1>{title}</h1>
        {children}
      </div>
    </main>
  );
}

/** ``open`` leads to the page of a run that shows nothing; without it there is no run. */
export function FirstRun({ open }: { open?: () => void }): JSX.Element {
  return open ? (
    <Notice title="This run shows no cluster">
      <p>Every cluster was too small for the run’s policy, or its name was not cleared to be shown. What was withheld, and why, stands on the run’s page.</p>
      <ul>
        <li>Use more logs: each cluster needs several people and conversations.</li>
        <li>
          For data that anyone may read, choose a lower threshold: <code>clio run LOGS --set policy=public-data</code>
        </li>
      </ul>
      <button type="button" class="button primary" onClick={open}>
        What was withheld
      </button>
    </Notice>
  ) : (
    <Notice title="No run to show yet">
      <p>The explorer shows finished runs: clusters of conversations with names, shares and what sets them apart, and no conversation.</p>
      <ol>
        <li>
          See it with a made-up sample: <code>clio demo</code>
        </li>
        <li>
          Make one of your logs: <code>clio run LOGS --out my-run</code>
        </li>
        <li>
          Open it: <code>clio explore my-run</code>
        </li>
      </ol>
    </Notice>
  );
}

export function Trouble({ title = "The explorer’s server does not answer", text = "It may have been stopped. Start it again with: clio explore", action }: { title?: string; text?: string; action?: { text: string; do: () => void } }): JSX.Element {
  return (
    <Notice title={title}>
      <p>{text}</p>
      <button type="button" class="button primary" onClick={action?.do ?? (() => location.reload())}>
        {action?.text ?? "Try again"}
      </button>
    </Notice>
  );
}
