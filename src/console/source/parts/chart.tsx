// Stacked bar chart of the last hour, with the same figures as a table.
import { texts } from '../texts';
import type { Counted, Stretch } from './activity';
import { List } from './list';

interface Props {
  title: string;
  /** Labels of the counts that the chart shows. */
  series: Partial<Record<Counted, string>>;
  stretches: Stretch[];
}

const CLOCK = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const clock = (at: number) => CLOCK.format(at);
const number = (value: number) => value.toLocaleString('en');

export function Chart({ title, series, stretches }: Props) {
  const names = Object.entries(series) as [Counted, string][];
  const isCounting = stretches.some(({ counts }) => !counts);
  const sum = (name: Counted) => stretches.reduce((all, { counts }) => all + (counts?.[name] ?? 0), 0);
  const heights = stretches.map(({ counts }) => names.reduce((height, [name]) => height + (counts?.[name] ?? 0), 0));
  const scale = round(Math.max(...heights));
  const told = names.map(([name, text]) => ({ text, sum: sum(name) }));
  return (
    <figure class="chart" aria-busy={isCounting}>
      <figcaption>
        <h2>{title}</h2>
        <ul>
          {told.map(({ text, sum }) => (
            <li key={text}>
              {text} <strong>{isCounting ? '…' : number(sum)}</strong>
            </li>
          ))}
        </ul>
      </figcaption>
      <div class="plot">
        <svg viewBox={`0 0 ${stretches.length} 1`} preserveAspectRatio="none" role="img" aria-label={texts.now.told(title, told)}>
          {stretches.map(({ from, counts }, place) => counts && <Bar values={names.map(([name, text]) => [text, counts[name]])} place={place} scale={scale} from={from} key={from} />)}
        </svg>
        <span>{number(scale)}</span>
        <span>{number(scale / 2)}</span>
      </div>
      <div class="axis" aria-hidden="true">
        {[0, 10, 20].map(place => (
          <span key={place}>{clock(stretches[place]!.from)}</span>
        ))}
        <span>{texts.now.now}</span>
      </div>
      <details>
        <summary aria-label={`${texts.now.figures}: ${title}`}>{texts.now.figures}</summary>
        <List
          caption={title}
          asked={{ loading: isCounting }}
          list={{ nodes: stretches.filter((_, place) => heights[place]! > 0).map(stretch => ({ id: String(stretch.from), ...stretch })).toReversed() }}
          columns={[
            { name: texts.now.from, cell: ({ from }) => clock(from) },
            ...names.map(([name, text]) => ({ name: text, cell: ({ counts }: Stretch) => number(counts?.[name] ?? 0), isNumber: true })),
          ]}
          empty={texts.now.nothing}
        />
      </details>
    </figure>
  );
}

interface BarProps {
  /** Label and count of each segment, bottom first. */
  values: [string, number][];
  place: number;
  scale: number;
  from: number;
}

function Bar({ values, place, scale, from }: BarProps) {
  let top = 1;
  return (
    <g>
      <title>{[clock(from), ...values.map(([name, value]) => `${name}: ${number(value)}`)].join('\n')}</title>
      {/* Full height, so that the tooltip of a low bar is easy to reach. */}
      <rect x={place} y={0} width={1} height={1} />
      {values.map(([name, value]) => {
        top -= value / scale;
        return <rect x={place + 0.12} y={top} width={0.76} height={value / scale} key={name} />;
      })}
    </g>
  );
}

/** The next round number, for the axis. */
function round(height: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(height, 1)));
  const found = [1, 2, 4, 10].map(factor => factor * power).find(value => value >= height)!;
  return Math.max(found, 4);
}
