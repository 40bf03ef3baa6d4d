// Charts of the activity in the last hour, refreshed while the page is visible.
import { MOST, useActivity } from '../parts/activity';
import { Chart } from '../parts/chart';
import { Failure } from '../parts/failure';
import { Page } from '../parts/page';
import { texts } from '../texts';

export function Now() {
  const { stretches, error } = useActivity();
  const isNothingKnown = stretches.every(({ counts }) => !counts);
  const isMore = stretches.some(({ counts }) => counts && Object.values(counts).includes(MOST));
  return (
    <Page title={texts.now.title}>
      {error && isNothingKnown ? (
        <Failure error={error} />
      ) : (
        <>
          <p class="hint">
            {error ? texts.now.old : texts.now.how} {isMore && texts.now.more(MOST)}
          </p>
          <div class="charts">
            {Object.entries(texts.now.charts).map(([key, { title, series }]) => (
              <Chart title={title} series={series} stretches={stretches} key={key} />
            ))}
          </div>
        </>
      )}
    </Page>
  );
}
