import { useEffect } from 'preact/hooks';
import { call } from '../api.ts';

const CLAIM_AFTER_MS = 600;
const CLAIM_AGAIN_MS = 40_000;

/** Tells others what one looks at, while one does. */
export function useClaim(id: string | undefined, me: string, heldBy: string | undefined, isOpen: boolean): void {
  useEffect(() => {
    if (!id || !isOpen || (heldBy && heldBy !== me)) return undefined;
    let claimed = false;
    const claim = () => {
      if (document.hidden) return;
      claimed = true;
      call('POST', '/v1/moderation/claims', { body: { id }, quiet: true }).catch(() => undefined);
    };
    const first = setTimeout(claim, CLAIM_AFTER_MS);
    const again = setInterval(claim, CLAIM_AGAIN_MS);
    return () => {
      clearTimeout(first);
      clearInterval(again);
      if (claimed) {
        call('POST', '/v1/moderation/claims', { body: { id, release: true }, quiet: true }).catch(() => undefined);
      }
    };
  }, [id, isOpen]);
}
