/* oxlint-disable no-new -- a construct is made for its place in the tree */
import { CfnOutput, Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import { HttpApi, HttpStage, LogGroupLogDestination } from 'aws-cdk-lib/aws-apigatewayv2';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import {
  AllowedMethods,
  type BehaviorOptions,
  CacheCookieBehavior,
  CacheHeaderBehavior,
  CachePolicy,
  CacheQueryStringBehavior,
  Distribution,
  Function as CloudFrontFunction,
  FunctionCode,
  FunctionEventType,
  FunctionRuntime,
  HttpVersion,
  OriginRequestPolicy,
  PriceClass,
  ResponseHeadersPolicy,
  SecurityPolicyProtocol,
  ViewerProtocolPolicy,
} from 'aws-cdk-lib/aws-cloudfront';
import { HttpOrigin, S3BucketOrigin } from 'aws-cdk-lib/aws-cloudfront-origins';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { BlockPublicAccess, Bucket, BucketEncryption, type CfnBucket, type IBucket } from 'aws-cdk-lib/aws-s3';
import { BucketDeployment, Source } from 'aws-cdk-lib/aws-s3-deployment';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import {
  ConfigurationSet,
  EmailIdentity,
  EmailSendingEvent,
  EventDestination,
  Identity,
  SuppressionReasons,
} from 'aws-cdk-lib/aws-ses';
import { EventBus } from 'aws-cdk-lib/aws-events';
import {
  type IUserPool,
  OAuthScope,
  type UserPool,
  UserPoolClient,
  UserPoolClientIdentityProvider,
} from 'aws-cdk-lib/aws-cognito';
import type { Construct } from 'constructs';
import { PREFLIGHT } from '../../shared/http.ts';
import { ORIGIN_HEADER } from './gate.ts';
import { acknowledge } from './nag.ts';
import { named } from './names.ts';
import type { Stage } from './stage.ts';

/** Of the whole API; each client's limits are the policy's, in the door. */
const THROTTLE = { rateLimit: 500, burstLimit: 1000 };
/** A published comment is seen after at most so long; nothing is invalidated. */
const THREAD_TTL = Duration.seconds(10);

/** The names under which the local server shows the same files: `/` is the demo, `/moderate…` the desk, `/author` the authors' page. */
const PAGE_NAMES = `function handler({ request }) {
  const { uri } = request;
  if (uri === '/') request.uri = '/demo.html';
  else if (uri === '/author') request.uri = '/author/index.html';
  else if (/^\\/moderate(\\/[^.]*)?$/.test(uri)) request.uri = '/desk/index.html';
  else if (uri.startsWith('/moderate/')) request.uri = '/desk/' + uri.slice(10);
  return request;
}`;

/**
 * Answers preflights where the reader is: the API behind would say the same, a third of its requests long. That any origin
 * may ask gives nothing away, since the door names a site's own origins in the answers that count, and no cookie is involved.
 */
const ANSWER_PREFLIGHT = `function handler({ request }) {
  const { origin } = request.headers;
  if (request.method !== 'OPTIONS' || !origin || request.uri.startsWith('/v1/moderation')) return request;
  return {
    statusCode: 204,
    statusDescription: 'No Content',
    headers: {
      'access-control-allow-origin': { value: origin.value },
${Object.entries(PREFLIGHT)
  .map(([name, value]) => `      '${name}': { value: '${value}' },`)
  .join('\n')}
      vary: { value: 'origin' },
    },
  };
}`;

export type EdgeProps = StackProps & {
  stage: Stage;
  users: UserPool;
  /** The built front ends; undefined leaves the bucket empty. */
  pages: string | undefined;
  /** Pages by path that describe the API. */
  descriptions: Readonly<Record<string, unknown>>;
};

/**
 * What readers see of the instance: its address, its pages, its API without the functions behind it, and its mail.
 *
 * It comes before the functions, because they write its address into mails.
 */
export class EdgeStack extends Stack {
  readonly publicUrl: string;
  readonly api: HttpApi;
  /** What CloudFront adds to each request, and `gate` looks for. */
  readonly originSecret: Secret;
  readonly configurationSet: ConfigurationSet;
  /** What mail may be sent as. */
  readonly identityArn: string | undefined;
  readonly userClient: UserPoolClient;

  constructor(scope: Construct, id: string, { stage, users, pages, descriptions, ...props }: EdgeProps) {
    super(scope, id, props);
    this.originSecret = new Secret(this, 'origin-secret', {
      secretName: named(stage, 'origin'),
      description: 'Sluice: what CloudFront shows to the HTTP API, so that nobody goes around it.',
      generateSecretString: { passwordLength: 48, excludePunctuation: true },
      removalPolicy: RemovalPolicy.DESTROY,
    });
    acknowledge(this.originSecret, {
      'AwsSolutions-SMG4':
        'CloudFront and the authoriser would disagree while it turns; `cdk deploy` replaces it when it must.',
    });
    this.api = this.#api(stage);
    const distribution = this.#distribution(stage, pages, descriptions);
    this.publicUrl = `https://${stage.domain?.name ?? distribution.distributionDomainName}`;
    this.userClient = this.#client(stage, users);
    this.configurationSet = this.#configurationSet(stage);
    this.identityArn = this.#identity(stage);
    new CfnOutput(this, 'PublicUrl', { value: this.publicUrl, description: 'Where readers reach this instance' });
    new CfnOutput(this, 'DistributionDomain', {
      value: distribution.distributionDomainName,
      description: 'Where a name of your own points (CNAME)',
    });
    new CfnOutput(this, 'UserClientId', {
      value: this.userClient.userPoolClientId,
      description: 'OIDC client of the dashboard',
    });
  }

  #api(stage: Stage): HttpApi {
    const api = new HttpApi(this, 'api', {
      apiName: named(stage, 'api'),
      description: 'Sluice: reached through CloudFront alone',
      createDefaultStage: false,
    });
    const accessLog = new LogGroup(this, 'api-log', {
      logGroupName: `/aws/apigateway/${named(stage, 'api')}`,
      retention: RetentionDays.ONE_WEEK,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    new HttpStage(this, 'api-stage', {
      httpApi: api,
      stageName: '$default',
      autoDeploy: true,
      throttle: THROTTLE,
      accessLogSettings: {
        destination: new LogGroupLogDestination(accessLog),
        // No address, no path: a thread's key and a client are nobody's business in a log.
        format: AccessLogFormat.custom(
          JSON.stringify({
            requestId: '$context.requestId',
            route: '$context.routeKey',
            status: '$context.status',
            ms: '$context.responseLatency',
            fault: '$context.integrationErrorMessage',
          }),
        ),
      },
    });
    return api;
  }

  #distribution(stage: Stage, pages: string | undefined, descriptions: EdgeProps['descriptions']): Distribution {
    // CDK's classes and interfaces part where optional properties are exact: hence `as`.
    const bucket = new Bucket(this, 'pages', {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      encryption: BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      // Holds nothing that a deploy does not bring back.
      removalPolicy: RemovalPolicy.DESTROY,
      autoDeleteObjects: true,
    });
    acknowledge(bucket, {
      'AwsSolutions-S1': 'Read by CloudFront alone, and holds public files; access logs would be readers’ addresses.',
    });
    const apiOrigin = new HttpOrigin(`${this.api.apiId}.execute-api.${this.region}.amazonaws.com`, {
      customHeaders: {
        // Resolved by CloudFormation: the value stands in no template.
        [ORIGIN_HEADER]: this.originSecret.secretValue.unsafeUnwrap(),
      },
      readTimeout: Duration.seconds(30),
    });
    const preflight = new CloudFrontFunction(this, 'preflight', {
      functionName: named(stage, 'preflight'),
      runtime: FunctionRuntime.JS_2_0,
      code: FunctionCode.fromInline(ANSWER_PREFLIGHT),
    });
    const noCache: BehaviorOptions = {
      origin: apiOrigin,
      allowedMethods: AllowedMethods.ALLOW_ALL,
      viewerProtocolPolicy: ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
      cachePolicy: CachePolicy.CACHING_DISABLED,
      originRequestPolicy: OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
      functionAssociations: [{ eventType: FunctionEventType.VIEWER_REQUEST, function: preflight }],
      compress: true,
    };
    // What the function says of an answer's age counts, within bounds.
    const kept = (name: string, headers: string[]): BehaviorOptions => ({
      ...noCache,
      cachePolicy: new CachePolicy(this, name, {
        cachePolicyName: named(stage, name),
        minTtl: Duration.seconds(0),
        defaultTtl: THREAD_TTL,
        maxTtl: Duration.seconds(60),
        queryStringBehavior: CacheQueryStringBehavior.all(),
        headerBehavior: CacheHeaderBehavior.allowList(...headers),
        cookieBehavior: CacheCookieBehavior.none(),
        enableAcceptEncodingGzip: true,
        enableAcceptEncodingBrotli: true,
      }),
    });
    const threads = kept('threads', ['Origin', 'Authorization']);
    const files: BehaviorOptions = {
      origin: S3BucketOrigin.withOriginAccessControl(bucket as IBucket),
      viewerProtocolPolicy: ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
      cachePolicy: CachePolicy.CACHING_OPTIMIZED,
      responseHeadersPolicy: ResponseHeadersPolicy.CORS_ALLOW_ALL_ORIGINS,
      compress: true,
      functionAssociations: [
        {
          eventType: FunctionEventType.VIEWER_REQUEST,
          function: new CloudFrontFunction(this, 'page-names', {
            functionName: named(stage, 'page-names'),
            runtime: FunctionRuntime.JS_2_0,
            code: FunctionCode.fromInline(PAGE_NAMES),
          }),
        },
      ],
    };
    const distribution = new Distribution(this, 'distribution', {
      comment: named(stage, 'door'),
      httpVersion: HttpVersion.HTTP2_AND_3,
      priceClass: PriceClass.PRICE_CLASS_100,
      ...(stage.domain && {
        minimumProtocolVersion: SecurityPolicyProtocol.TLS_V1_2_2021,
        domainNames: [stage.domain.name],
        certificate: Certificate.fromCertificateArn(this, 'certificate', stage.domain.certificateArn),
      }),
      defaultBehavior: files,
      additionalBehaviors: {
        ...Object.fromEntries(Object.keys(descriptions).map((path) => [path, files])),
        '/v1/sites/*': threads,
        // Pages speak their reader's language; what is posted to them, and what became of it, says no-store.
        '/t/*': kept('thread-pages', ['Accept-Language']),
        '/v1/*': noCache,
        '/health': noCache,
        '/privacy': noCache,
      },
    });
    acknowledge(distribution, {
      'AwsSolutions-CFR1': 'A blog is read from everywhere.',
      'AwsSolutions-CFR2':
        'A web ACL costs 5 USD a month and 0.60 a million requests; rate limits are the policy’s. An operator attaches one in the console.',
      'AwsSolutions-CFR3': 'Access logs would hold readers’ addresses, which Sluice does not keep.',
      'AwsSolutions-CFR4':
        'Without a domain of one’s own (-c domain) the certificate is CloudFront’s, whose protocols AWS sets.',
      'AwsSolutions-CFR7': 'The bucket is behind origin access control; the other origin is the API.',
    });
    if (pages !== undefined) {
      const { handlerRole } = new BucketDeployment(this, 'pages-files', {
        destinationBucket: bucket as IBucket,
        sources: [
          Source.asset(pages),
          ...Object.entries(descriptions).map(([path, page]) => Source.jsonData(path.slice(1), page)),
        ],
        distribution,
        distributionPaths: ['/*'],
        memoryLimit: 256,
      });
      const why =
        'CDK’s own function, which copies the pages while a deploy runs: CDK sets its rights and its runtime.';
      const findings = [
        'IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]',
        ...['s3:Abort*', 's3:DeleteObject*', 's3:GetBucket*', 's3:GetObject*', 's3:List*'].map(
          (action) => `IAM5[Action::${action}]`,
        ),
        `IAM5[Resource::arn:<AWS::Partition>:s3:::cdk-hnb659fds-assets-<AWS::AccountId>-${this.region}/*]`,
        `IAM5[Resource::<${this.getLogicalId(bucket.node.defaultChild as CfnBucket)}.Arn>/*]`,
        'IAM5[Resource::*]',
        'L1',
      ];
      acknowledge(
        handlerRole.node.scope!,
        Object.fromEntries(findings.map((finding) => [`AwsSolutions-${finding}`, why])),
      );
    }
    return distribution;
  }

  #client(stage: Stage, users: UserPool): UserPoolClient {
    return new UserPoolClient(this, 'desk', {
      userPool: users as IUserPool,
      userPoolClientName: named(stage, 'desk'),
      // The code flow's PKCE stands in for a client secret, which would be one more to keep.
      generateSecret: false,
      authFlows: { userSrp: true },
      preventUserExistenceErrors: true,
      supportedIdentityProviders: [UserPoolClientIdentityProvider.COGNITO],
      oAuth: {
        flows: { authorizationCodeGrant: true },
        scopes: [OAuthScope.OPENID, OAuthScope.PROFILE],
        callbackUrls: [`${this.publicUrl}/v1/moderation/oidc/callback`],
        logoutUrls: [`${this.publicUrl}/moderate`],
      },
      accessTokenValidity: Duration.hours(1),
      idTokenValidity: Duration.hours(1),
      refreshTokenValidity: Duration.hours(12),
    });
  }

  #configurationSet(stage: Stage): ConfigurationSet {
    const set = new ConfigurationSet(this, 'mail', {
      configurationSetName: named(stage, 'mail'),
      reputationMetrics: true,
      // SES itself refuses an address that bounced or complained, before our record is written.
      suppressionReasons: SuppressionReasons.BOUNCES_AND_COMPLAINTS,
    });
    set.addEventDestination('feedback', {
      configurationSetEventDestinationName: named(stage, 'feedback'),
      // SES puts on the default bus alone.
      destination: EventDestination.eventBus(EventBus.fromEventBusName(this, 'default-bus', 'default')),
      events: [EmailSendingEvent.BOUNCE, EmailSendingEvent.COMPLAINT, EmailSendingEvent.REJECT],
    });
    return set;
  }

  #identity(stage: Stage): string | undefined {
    if (!stage.sender) return undefined;
    const domain = stage.sender.slice(stage.sender.indexOf('@') + 1);
    const identity = new EmailIdentity(this, 'sender', {
      identity: Identity.domain(domain),
      configurationSet: this.configurationSet,
    });
    for (const [index, { name, value }] of identity.dkimRecords.entries()) {
      new CfnOutput(this, `Dkim${index + 1}`, {
        value: `${name} CNAME ${value}`,
        description: 'DNS record of the sender',
      });
    }
    return this.formatArn({ service: 'ses', resource: 'identity', resourceName: domain });
  }
}
