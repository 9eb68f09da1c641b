/**
 * The plan: what exists, as data. `infra/aws` makes CDK stacks of it, `infra/local` one process; a test holds the two
 * together. Names are construct ids: a rename is a replacement.
 */

export type Topology = {
  bus: { name: string; archiveDays: number };
  rules: Record<string, Rule>;
  queues: Record<string, QueueSpec>;
  functions: Record<string, FunctionSpec>;
  workflows: Record<string, WorkflowSpec>;
  pipes: Record<string, PipeSpec>;
  eventSources: Record<string, EventSourceSpec>;
  schedules: Record<string, ScheduleSpec>;
};

export type Rule = {
  pattern: Record<string, unknown>;
  target: { queue: string; messageGroup?: string };
  /** EventBridge sends again for this long before the event goes to `deadLetter`. */
  retryHours: number;
  deadLetter: string;
};

export type QueueSpec = {
  visibilitySeconds: number;
  retentionDays: number;
  maxMessageBytes: number;
  /** Where a message goes after `maxReceives`; a queue without it is itself the end. */
  deadLetter?: { queue: string; maxReceives: number };
  /** Serves message groups in turn (SQS fair queue on AWS). */
  fair?: boolean;
};

export type FunctionSpec = {
  /** Folder below services/; its handler.ts exports the service under the function's camelCase name. */
  folder: string;
  memoryMb: number;
  timeoutSeconds: number;
  /** Permissions, each as narrow as the words say. */
  may: {
    table?: 'read' | 'write';
    putEvents?: true;
    send?: readonly string[];
    start?: readonly string[];
    /** Answer task tokens of these workflows. */
    answer?: readonly string[];
    mail?: true;
    secret?: true;
    /** Ask the providers that a site's policy turns on: Akismet, and a language model through Bedrock. */
    askOutside?: true;
  };
  reservedConcurrency?: number;
};

export type WorkflowSpec = {
  file: string;
  type: 'EXPRESS' | 'STANDARD';
  /** `${Word}` in the file → a function, queue, workflow or the bus. */
  substitutions: Record<string, { function: string } | { queue: string } | { workflow: string }>;
  timeoutSeconds: number;
};

export type PipeSpec = {
  queue: string;
  workflow: string;
  batchSize: number;
  invocation: 'REQUEST_RESPONSE' | 'FIRE_AND_FORGET';
};

export type EventSourceSpec = {
  queue: string;
  function: string;
  batchSize: number;
  /** ReportBatchItemFailures. */
  partialFailures: boolean;
  /** SQS event source's MaximumConcurrency, 2..1000. */
  maxConcurrency: number;
};

export type ScheduleSpec = { everySeconds: number; function: string };

const INPUT_TYPES = ['CommentSubmitted', 'CommentEdited', 'CommentDeleted', 'CommentReported'];

/** 16 lanes; the door names one in the event. A rule's message group is a fixed string, hence a rule for each. */
export const LANES = Array.from({ length: 16 }, (_, lane) => `lane-${String(lane).padStart(2, '0')}`);

const intakeRule = (lane?: string): Rule => ({
  pattern: {
    source: ['sluice.comments'],
    'detail-type': INPUT_TYPES,
    detail: { lane: lane ? [lane] : [{ exists: false }, { 'anything-but': LANES }] },
  },
  target: { queue: 'intake', ...(lane && { messageGroup: lane }) },
  retryHours: 24,
  deadLetter: 'rule-dead',
});

const dead = { visibilitySeconds: 60, retentionDays: 14, maxMessageBytes: 1_048_576 } satisfies QueueSpec;

export const topology: Topology = {
  bus: { name: 'sluice', archiveDays: 7 },
  rules: {
    ...Object.fromEntries(LANES.map((lane) => [`intake-${lane}`, intakeRule(lane)])),
    'intake-no-lane': intakeRule(),
    learn: {
      pattern: { source: ['sluice.pipeline'], 'detail-type': ['DecisionMade'] },
      target: { queue: 'learn' },
      retryHours: 24,
      deadLetter: 'rule-dead',
    },
    /** Only what carries the mark: most sites have no webhooks, and their comments cost no message here. */
    webhooks: {
      pattern: { source: ['sluice.pipeline'], detail: { hooks: [true] } },
      target: { queue: 'webhooks' },
      retryHours: 24,
      deadLetter: 'rule-dead',
    },
  },
  queues: {
    intake: {
      visibilitySeconds: 180,
      retentionDays: 14,
      maxMessageBytes: 65_536,
      deadLetter: { queue: 'intake-dead', maxReceives: 8 },
      fair: true,
    },
    notify: {
      visibilitySeconds: 180,
      retentionDays: 14,
      maxMessageBytes: 65_536,
      deadLetter: { queue: 'notify-dead', maxReceives: 50 },
    },
    learn: {
      visibilitySeconds: 180,
      retentionDays: 14,
      maxMessageBytes: 65_536,
      deadLetter: { queue: 'learn-dead', maxReceives: 8 },
    },
    webhooks: {
      visibilitySeconds: 180,
      retentionDays: 14,
      maxMessageBytes: 65_536,
      deadLetter: { queue: 'webhooks-dead', maxReceives: 8 },
    },
    /** The workflow itself sends here what is permanently wrong, and `webhook` what was in vain for a day. */
    faults: { ...dead },
    'intake-dead': { ...dead },
    'notify-dead': { ...dead },
    'learn-dead': { ...dead },
    'webhooks-dead': { ...dead },
    'rule-dead': { ...dead },
  },
  functions: {
    validate: {
      folder: 'validate',
      memoryMb: 512,
      timeoutSeconds: 10,
      may: { table: 'write', putEvents: true, secret: true },
    },
    'spam-check': {
      folder: 'spam-check',
      memoryMb: 512,
      timeoutSeconds: 10,
      may: { table: 'write', secret: true, askOutside: true },
    },
    publish: { folder: 'publish', memoryMb: 256, timeoutSeconds: 10, may: { table: 'write', putEvents: true } },
    hold: { folder: 'hold', memoryMb: 256, timeoutSeconds: 10, may: { table: 'write', putEvents: true } },
    reject: { folder: 'reject', memoryMb: 256, timeoutSeconds: 10, may: { table: 'write', putEvents: true } },
    'author-notify': {
      folder: 'author-notify',
      memoryMb: 256,
      timeoutSeconds: 10,
      may: { table: 'write', send: ['notify'], secret: true },
    },
    'await-decision': {
      folder: 'await-decision',
      memoryMb: 256,
      timeoutSeconds: 10,
      may: { table: 'write', answer: ['review'] },
    },
    remind: {
      folder: 'remind',
      memoryMb: 256,
      timeoutSeconds: 10,
      may: { table: 'write', send: ['notify'], secret: true },
    },
    deliver: {
      folder: 'deliver',
      memoryMb: 256,
      timeoutSeconds: 30,
      may: { table: 'write', putEvents: true, send: ['notify'], mail: true, secret: true },
    },
    learn: { folder: 'learn', memoryMb: 512, timeoutSeconds: 30, may: { table: 'write' } },
    webhook: {
      folder: 'webhook',
      memoryMb: 256,
      timeoutSeconds: 30,
      may: { table: 'write', send: ['webhooks', 'faults'], secret: true },
    },
    'drain-dead-letters': {
      folder: 'drain-dead-letters',
      memoryMb: 256,
      timeoutSeconds: 30,
      may: { table: 'write', putEvents: true, secret: true },
    },
    reconcile: {
      folder: 'reconcile',
      memoryMb: 512,
      timeoutSeconds: 60,
      may: {
        table: 'write',
        putEvents: true,
        send: ['notify'],
        start: ['review'],
        answer: ['review'],
        // It asks again who did not answer, and the address that Akismet wants is sealed.
        secret: true,
        askOutside: true,
      },
    },
  },
  workflows: {
    moderation: {
      file: 'workflows/moderation.asl.json',
      type: 'EXPRESS',
      substitutions: {
        Validate: { function: 'validate' },
        SpamCheck: { function: 'spam-check' },
        Publish: { function: 'publish' },
        Hold: { function: 'hold' },
        Reject: { function: 'reject' },
        AuthorNotify: { function: 'author-notify' },
        Review: { workflow: 'review' },
        Intake: { queue: 'intake' },
        Faults: { queue: 'faults' },
      },
      timeoutSeconds: 120,
    },
    review: {
      file: 'workflows/review.asl.json',
      type: 'STANDARD',
      substitutions: {
        AwaitDecision: { function: 'await-decision' },
        Remind: { function: 'remind' },
        Publish: { function: 'publish' },
        AuthorNotify: { function: 'author-notify' },
      },
      timeoutSeconds: 31_536_000,
    },
  },
  pipes: {
    moderation: { queue: 'intake', workflow: 'moderation', batchSize: 1, invocation: 'REQUEST_RESPONSE' },
  },
  eventSources: {
    deliver: { queue: 'notify', function: 'deliver', batchSize: 10, partialFailures: true, maxConcurrency: 5 },
    learn: { queue: 'learn', function: 'learn', batchSize: 10, partialFailures: true, maxConcurrency: 2 },
    webhook: { queue: 'webhooks', function: 'webhook', batchSize: 10, partialFailures: true, maxConcurrency: 5 },
    'drain-faults': {
      queue: 'faults',
      function: 'drain-dead-letters',
      batchSize: 10,
      partialFailures: true,
      maxConcurrency: 2,
    },
    'drain-intake': {
      queue: 'intake-dead',
      function: 'drain-dead-letters',
      batchSize: 10,
      partialFailures: true,
      maxConcurrency: 2,
    },
    'drain-notify': {
      queue: 'notify-dead',
      function: 'drain-dead-letters',
      batchSize: 10,
      partialFailures: true,
      maxConcurrency: 2,
    },
    'drain-learn': {
      queue: 'learn-dead',
      function: 'drain-dead-letters',
      batchSize: 10,
      partialFailures: true,
      maxConcurrency: 2,
    },
    'drain-webhooks': {
      queue: 'webhooks-dead',
      function: 'drain-dead-letters',
      batchSize: 10,
      partialFailures: true,
      maxConcurrency: 2,
    },
    'drain-rules': {
      queue: 'rule-dead',
      function: 'drain-dead-letters',
      batchSize: 10,
      partialFailures: true,
      maxConcurrency: 2,
    },
  },
  schedules: {
    reconcile: { everySeconds: 60, function: 'reconcile' },
  },
};
