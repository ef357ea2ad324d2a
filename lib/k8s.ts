/**
 * The L1 classes of Kubernetes' own kinds, as cdk8s-plus-28 generates them, without the rest of that library (loading it would double the start-up time).
 * It deliberately adds nothing: higher constructs are in lib/constructs.
 */
export * from 'cdk8s-plus-28/lib/imports/k8s';
