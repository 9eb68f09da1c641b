/** Where the OIDC flow begins. */
export const SIGN_IN = '/v1/moderation/oidc/sign-in';
