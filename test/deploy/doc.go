// Package deploy proves what deploy/ installs: that kustomize and Helm give the
// same, that a real API server takes it under Pod Security "restricted", that
// the roles are enough and no more, and that the binary is fit for an image
// with nothing else in it.
package deploy
