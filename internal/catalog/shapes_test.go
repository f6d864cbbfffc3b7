package catalog_test

import (
	"strings"
	"testing"

	"github.com/relight-aws/relight/internal/catalog"
)

// Each shape matches the shortest and the longest name, but no shorter or longer
// one. The test puts the name into an ARN if the shape has one.
func TestShapeLimits(t *testing.T) {
	tests := map[string]struct {
		shape         catalog.Shape
		before, after string
		least, most   int
	}{
		"topic":        {catalog.TopicShape, "arn:aws:sns:us-east-1:111122223333:", "", 1, 256},
		"subscription": {catalog.TopicShape, "arn:aws:sns:us-east-1:111122223333:", ":5e1f0c2a", 1, 256},
		"log group":    {catalog.LogGroupShape, "", "", 1, 512},
		"filter":       {catalog.FilterShape, "", "", 1, 512},
		"bucket":       {catalog.BucketShape, "", "", 3, 255},
		"key":          {catalog.KeyShape, "", "", 1, 512},
		"trail":        {catalog.TrailShape, "", "", 3, 128},
		"trail's ARN":  {catalog.TrailShape, "arn:aws:cloudtrail:us-east-1:111122223333:trail/", "", 3, 128},
		"role":         {catalog.RoleShape, "", "", 1, 64},
		"policy":       {catalog.PolicyShape, "arn:aws:iam::aws:policy/", "", 1, 512},
		"alarm":        {catalog.AlarmShape, "", "", 1, 255},
		"external ID":  {catalog.ExternalIDShape, "", "", 2, 1224},
	}
	for name, tt := range tests {
		for n := tt.least - 1; n <= tt.most+1; n++ {
			want := n >= tt.least && n <= tt.most
			if got := tt.shape.MatchString(tt.before + strings.Repeat("a", n) + tt.after); got != want {
				t.Errorf("%s of %d characters: %t, want %t", name, n, got, want)
			}
		}
		for _, bad := range []string{"a\nb", "a\x00b", "\x7fab"} {
			if tt.shape.MatchString(tt.before + bad + tt.after) {
				t.Errorf("%s %q matches", name, bad)
			}
		}
	}
	if !catalog.AlarmShape.MatchString(strings.Repeat("é", 255)) {
		t.Error("the limit of an alarm's name counts bytes, want characters")
	}
}
