export const BAN_KINDS = ['writer', 'network', 'word', 'host', 'text'] as const;
export type BanKind = (typeof BAN_KINDS)[number];

/** Who or what is held or rejected at a site, until when, and why. Times are milliseconds since the epoch. */
export type Ban = {
  id: string;
  kind: BanKind;
  /**
   * What is looked for: the writer's key, the network's keyed hash, a word or phrase, a host (its subdomains too), or the
   * fingerprint that near-duplicate texts share. Never an address or a name.
   */
  value: string;
  action: 'hold' | 'reject';
  /** The writer is told: no ban is a secret. */
  reason: string;
  by: string;
  at: number;
  /** Without it, until somebody lifts it. */
  expiresAt?: number;
  /** The comment that it was made from: names the writer for as long as there is a name. */
  comment?: string;
};
