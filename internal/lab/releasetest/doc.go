// Package releasetest deploys the archives of a release into an empty account of the
// local cloud, with nothing but the AWS CLI, and takes relight away again. Its test has a
// lab of its own, because no stack is left at its end.
package releasetest
