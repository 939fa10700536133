// How the run was made, by which rules it is shown, and what was withheld. What this page does not know by name it shows as it comes.

import type { JSX } from "preact";
import { count, label, percent, range } from "../model/format";
import { useReading } from "./reading";
import { Section } from "./small";
import { Withheld } from "./withheld";

const NAMES: Record<string, string> = {
  min_users: "Accounts behind a cluster, at least",
  min_conversations: "Conversations in a cluster, at least",
  min_cell_users: "Accounts behind a facet value, at least",
  min_cell_conversations: "Conversations with a facet value, at least",
  audit_min: "Audit rating of a text, at least (1–5)",
  max_per_user: "Conversations counted of one account, at most",
  sensitive: "Sensitive subjects need more",
  support: "Specifics need support by several accounts",
  restricted: "Restricted to named people",
  source: "Where the numbers come from",
  name: "Policy",
  clio: "Version of Clio",
  model: "Chat model",
  models: "Chat models",
  embedder: "Embedder",
  clustered: "Clustered by",
  counted: "What is counted",
  route: "How it ran",
  users: "How accounts are told apart",
  seed: "Seed",
  prompts: "Prompts, by hash",
  cost: "Cost",
};
/** shown at the top of the page, or as text of its own */
const APART = new Set(["caveats", "policy"]);

export function RunPage(): JSX.Element {
  const { run, go } = useReading();
  const caveats = Array.isArray(run.about["caveats"]) ? run.about["caveats"].filter((one): one is string => typeof one === "string") : [];
  return (
    <main class="page" id="main" tabIndex={-1}>
      <div class="page-top">
        <h2 class="page-title" dir="auto">{run.title}</h2>
        <button type="button" class="button" onClick={() => go({ screen: "explore" })}>Explore</button>
      </div>
      <article class="sheet detail">
        <dl class="numbers four">
          <Number name={label(run.counted)} value={count(run.conversations)} below={`${run.users} accounts`} />
          <Number name="Clusters" value={count(run.levels.reduce((sum, n) => sum + n, 0))} below={run.levels.map(count).join(" / ")} />
          <Number name="Under a name" value={percent(run.coverage)} below={range(run.coverage_low, run.coverage_high) || "coverage"} />
          <Number name="Sample" value={run.sample ? count(run.sample.conversations) : "all"} below={run.sample ? `of ${count(run.sample.population)}${run.sample.by ? `, by ${run.sample.by}` : ""}` : `${run.counted} were used`} />
        </dl>
        <div class="sheet-columns">
          <div>
            <Withheld />
            <Section title="Policy" aside={typeof run.policy["name"] === "string" ? run.policy["name"] : ""}>
              <Pairs of={run.policy} without={new Set(["name"])} />
            </Section>
          </div>
          <div>
            <Section title="Method">
              <Pairs of={run.about} without={APART} />
            </Section>
            {caveats.length > 0 && (
              <Section title="Caveats">
                <ul class="caveats">
                  {caveats.map((one) => (
                    <li key={one} dir="auto">{one}</li>
                  ))}
                </ul>
              </Section>
            )}
          </div>
        </div>
      </article>
    </main>
  );
}

const Number = ({ name, value, below }: { name: string; value: string; below: string }) => (
  <div>
    <dt>{name}</dt>
    <dd class="number">{value}</dd>
    <dd class="quiet">{below}</dd>
  </div>
);

function Pairs({ of, without }: { of: Record<string, unknown>; without: ReadonlySet<string> }): JSX.Element {
  const { run } = useReading();
  const things = label(run.counted);
  const known = Object.keys(NAMES);
  const rank = (key: string) => (known.includes(key) ? known.indexOf(key) : known.length);
  const pairs = Object.entries(of).sort((a, b) => rank(a[0]) - rank(b[0])).filter(([key, value]) => !without.has(key) && value !== null && value !== "");
  return (
    <dl class="pairs">
      {pairs.map(([key, value]) => (
        <div key={key}>
          <dt dir="auto">{NAMES[key]?.replace("Conversations", things) ?? label(key)}</dt>
          <dd dir="auto"><Anything value={value} /></dd>
        </div>
      ))}
    </dl>
  );
}

/** Any JSON value as text. */
function Anything({ value }: { value: unknown }): JSX.Element {
  if (typeof value === "boolean") return <>{value ? "yes" : "no"}</>;
  if (typeof value === "number") return <span class="number">{count(value)}</span>;
  if (Array.isArray(value)) return value.some((one) => typeof one === "object") ? <>{value.map((one, i) => <div key={i}><Anything value={one} /></div>)}</> : <>{value.map(String).join(", ")}</>;
  if (typeof value === "object" && value !== null) return <Pairs of={value as Record<string, unknown>} without={new Set()} />;
  // a hash is not read but compared
  if (typeof value === "string" && /^[0-9a-f]{12,}$/.test(value)) return <code title={value}>{value.slice(0, 12)}…</code>;
  return <>{String(value)}</>;
}
