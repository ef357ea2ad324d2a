/** The page's start: puts it into its place in the document. It deliberately does nothing else. */
import { render } from 'preact';
import { App } from './app.tsx';
import './style.css';

const place = document.getElementById('page');
if (place) {
  place.textContent = '';
  render(<App />, place);
}
