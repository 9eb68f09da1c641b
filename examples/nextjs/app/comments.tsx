import Script from 'next/script';

const SERVER = 'https://comments.example.com';

declare module 'react' {
  namespace JSX {
    interface IntrinsicElements {
      'sluice-comments': { site: string; thread: string; author?: string; server: string };
    }
  }
}

/** A server component: the element loads its thread in the browser, and follows `thread` as the router changes it. */
export function Comments({ thread, author }: { thread: string; author?: string }) {
  return (
    <>
      <sluice-comments site="my-blog" thread={thread} author={author} server={SERVER} />
      <Script src={`${SERVER}/embed.js`} />
      <noscript>
        <a href={`${SERVER}/t/my-blog/${encodeURIComponent(thread)}`}>Read the comments</a>
      </noscript>
    </>
  );
}
