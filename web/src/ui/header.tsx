// The bar on top: run, search, what protects people here, and what to take away.

import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Run } from "../api";
import { counted, plural } from "../model/format";
import { HOME } from "../model/place";
import { Icon, Logo, type IconName } from "./icons";
import { Popover } from "./popover";
import type { Look } from "./preferences";
import { useReading } from "./reading";
import { CopyLink, Export } from "./share";

export function Header(): JSX.Element {
  const { go, place, run } = useReading();
  return (
    <header class="header">
      <h1 class="hidden-text">{run.title}</h1>
      <button type="button" class="logo" aria-label="Insights Explorer: start view" onClick={() => go({ ...HOME, run: place.run })}>
        <Logo />
        <span>Insights Explorer</span>
      </button>
      <RunChooser />
      <Search />
      <div class="actions">
        <button type="button" class="badge" onClick={() => go({ screen: "run" })} aria-current={place.screen === "run" ? "page" : undefined} title="How this was made, and what is withheld">
          <Icon name="shield" size={14} />
          <span>Aggregates only · audited</span>
        </button>
        {run.comparisons.length > 0 && (
          <button type="button" class="button compare" onClick={() => go({ screen: "changes" })} aria-current={place.screen === "changes" ? "page" : undefined}>
            Compare
          </button>
        )}
        <CopyLink />
        <Export />
        <LookChooser />
      </div>
    </header>
  );
}

const facts = (run: Run) => {
  const clusters = run.levels.reduce((sum, n) => sum + n, 0);
  return `${counted(run.conversations, run)} · ${plural(clusters, "cluster")} · ${plural(run.levels.length, "level")}`;
};

function RunChooser(): JSX.Element {
  const { runs, run, go } = useReading();
  const text = (
    <>
      <span class="run-title" dir="auto">
        <span>{run.title}</span>
        {runs.length > 1 && <Icon name="down" size={12} />}
      </span>
      <small>{facts(run)}</small>
    </>
  );
  if (runs.length < 2) {
    return (
      <button type="button" class="run" onClick={() => go({ screen: "run" })} title="About this run">
        {text}
      </button>
    );
  }
  return (
    <div class="run chooser">
      <span aria-hidden="true">{text}</span>
      <select aria-label="Run" value={run.id} onChange={(event) => go({ ...HOME, run: event.currentTarget.value })}>
        {runs.map((one) => (
          <option key={one.id} value={one.id}>
            {one.title} – {facts(one)}
          </option>
        ))}
      </select>
    </div>
  );
}

function Search(): JSX.Element {
  const { place, go } = useReading();
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const key = (event: KeyboardEvent) => {
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
      if ((event.target as HTMLElement).closest("input, select, textarea")) return;
      event.preventDefault();
      field.current?.focus();
      field.current?.select();
    };
    addEventListener("keydown", key);
    return () => removeEventListener("keydown", key);
  }, []);
  return (
    <div class="search" role="search">
      <Icon name="search" />
      <input
        ref={field}
        type="search"
        aria-label="Search cluster names and descriptions"
        placeholder="Search cluster names and descriptions"
        value={place.query}
        spellcheck={false}
        autocomplete="off"
        onInput={(event) => go({ query: event.currentTarget.value, ...(place.screen === "run" || place.screen === "cluster" ? { screen: "explore" as const } : {}) }, "replace")}
        onKeyDown={(event) => {
          if (event.key === "Escape") go({ query: "" }, "replace");
          if (event.key === "Enter" || event.key === "ArrowDown") document.querySelector<HTMLElement>('[role="treeitem"][tabindex="0"]')?.focus();
        }}
      />
      {place.query ? (
        <button type="button" class="clear" aria-label="Clear the search" onClick={() => { go({ query: "" }, "replace"); field.current?.focus(); }}>
          <Icon name="close" size={14} />
        </button>
      ) : (
        <kbd aria-hidden="true">/</kbd>
      )}
    </div>
  );
}

const LOOKS: [Look, string, IconName][] = [
  ["light", "Light", "sun"],
  ["dark", "Dark", "moon"],
  ["system", "As the system", "screen"],
];

function LookChooser(): JSX.Element {
  const { look, chooseLook, theme } = useReading();
  return (
    <Popover label={<Icon name={theme === "dark" ? "moon" : "sun"} />} name="Light or dark" className="icon-button" align="end">
      {(close) => (
        <div role="group" aria-label="Light or dark" class="menu">
          {LOOKS.map(([value, text, icon]) => (
            <button type="button" key={value} aria-pressed={look === value} onClick={() => { chooseLook(value); close(); }}>
              <Icon name={icon} />
              {text}
            </button>
          ))}
        </div>
      )}
    </Popover>
  );
}
