export { deskSearch as search } from '../adapters/search.ts';
