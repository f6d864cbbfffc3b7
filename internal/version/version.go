// Package version says which version of relight a binary is.
package version

import (
	"runtime/debug"
	"strings"
)

// linked is the version that the Makefile's builds link in. Go's own record of the
// commit is not in them: they have -buildvcs=false, which shares a cache with the tests.
var linked string

// String returns the version: the one linked in, that of the module if
// "go install" built the binary, or "development".
func String() string {
	info, _ := debug.ReadBuildInfo() // nil if there is none
	return choose(linked, info)
}

func choose(linked string, info *debug.BuildInfo) string {
	switch {
	case linked != "":
		return strings.TrimPrefix(linked, "v")
	case info != nil && info.Main.Version != "" && info.Main.Version != "(devel)":
		return strings.TrimPrefix(info.Main.Version, "v")
	}
	return "development"
}
