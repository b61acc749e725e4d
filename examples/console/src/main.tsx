// Starts the console.
import { render } from 'preact';
import { startClock } from './state/clock';
import { openDoor } from './state/door';
import { watchRoute } from './state/route';
import { applyTheme } from './state/settings';
import { Shell } from './view/shell';

applyTheme();
startClock();
watchRoute();
render(<Shell />, document.getElementById('console') as HTMLElement);
void openDoor();
