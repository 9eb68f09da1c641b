import { render } from 'preact';
import { App } from './app.tsx';
import { currentLanguage } from './words.ts';

document.documentElement.lang = currentLanguage();
const root = document.querySelector('#desk');
if (root) render(<App />, root);
