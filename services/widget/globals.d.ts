declare module '*.css?inline' {
  const text: string;
  export default text;
}

/** Languages with a file of their own, from services/widget/words; set by Vite. */
declare const LANGUAGES: string;
