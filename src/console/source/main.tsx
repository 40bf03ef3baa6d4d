import './style/theme.css';
import './style/controls.css';
import './style/card.css';
import './style/layout.css';
import './style/parts.css';
import './style/chart.css';

import { render } from 'preact';
import { LocationProvider } from 'preact-iso';

import { PresentDocument } from './api/generated';
import { keepTrying } from './api/reachability';
import { ask, start, state } from './api/session';
import { live } from './api/session-ended-socket';
import { App } from './app';
import { restoreTheme } from './parts/theme';

restoreTheme();
render(
  <LocationProvider scope="/console">
    <App />
  </LocationProvider>,
  document.getElementById('console')!,
);
live();
keepTrying(() => (state.value.at === 'unreachable' ? start() : ask(PresentDocument, {})));
void start();
