package main

import (
	"strings"
	"testing"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/report"
)

// The columns stand under each other, whatever the kind.
func TestColumns(t *testing.T) {
	const region = "us-east-1"
	at := -1
	for _, k := range catalog.Kinds() {
		var out strings.Builder
		p := printer{w: &out}
		p.report(report.View{Kind: string(k), Region: region})
		if i := strings.Index(out.String(), region); p.err != nil || at >= 0 && i != at {
			t.Errorf("the region of %s stands at %d, want %d: %q, %v", k, i, at, out.String(), p.err)
		} else {
			at = i
		}
	}
}
