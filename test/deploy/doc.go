// Package deploy tests what deploy/ installs: kustomize and Helm install the same, a
// real API server accepts it under Pod Security "restricted", the roles grant what is
// needed and no more, and the binary runs in an image with nothing else in it.
package deploy
