// What stands under no name, and why: shown as a part of the whole.

import type { JSX } from "preact";
import { count, percent } from "../model/format";
import { useReading } from "./reading";
import { Section } from "./small";

export function Withheld(): JSX.Element {
  const { run } = useReading();
  const reasons = Object.entries(run.withheld).sort((a, b) => b[1] - a[1]);
  const named = Math.max(0, run.coverage);
  return (
    <Section title="Shown and withheld" aside={`${percent(run.coverage)} under a name`}>
      <div class="whole" role="img" aria-label={`${percent(named)} of ${run.counted} stand under a name`}>
        <i class="whole-named" style={{ width: `${100 * named}%` }} />
        <i class="whole-rest hatched" style={{ width: `${100 * (1 - named)}%` }} />
      </div>
      {reasons.length ? (
        <dl class="pairs withheld-reasons">
          <div>
            <dt>
              <span class="swatch whole-named" aria-hidden="true" /> shown under a name
            </dt>
            <dd class="number">
              {count(Math.round(named * run.conversations))} <span class="quiet">{percent(named)}</span>
            </dd>
          </div>
          {reasons.map(([reason, n]) => (
            <div key={reason}>
              <dt dir="auto">
                <span class="swatch hatched" aria-hidden="true" /> {reason}
              </dt>
              <dd class="number">
                {count(n)} <span class="quiet">{percent(run.conversations ? n / run.conversations : 0)}</span>
              </dd>
            </div>
          ))}
        </dl>
      ) : (
        <p class="quiet small-text">Nothing is withheld.</p>
      )}
    </Section>
  );
}
