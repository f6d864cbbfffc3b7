package app_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cloudtrailtypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"

	"github.com/relight-aws/relight/internal/app"
)

// A sweep reports that the region takes no further trail: its own trails and the
// shadows of others count. One less, and it says nothing.
func TestTrailSlots(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		home, shadows int // besides the two trails of the account
		full          bool
	}{{0, 0, false}, {2, 0, false}, {1, 1, false}, {3, 0, true}, {0, 3, true}, {1, 2, true}, {6, 0, true}} {
		t.Run(fmt.Sprintf("%d and %d", tt.home, tt.shadows), func(t *testing.T) {
			w := healthy(t, few)
			for i := range tt.home + tt.shadows {
				region := home
				if i >= tt.home {
					region = second
				}
				name := fmt.Sprintf("decoy-%d", i)
				w.AddTrail(cloudtrailtypes.Trail{
					Name: aws.String(name), TrailARN: aws.String("arn:aws:cloudtrail:" + region + ":" + account + ":trail/" + name), HomeRegion: aws.String(region),
					S3BucketName: aws.String("audit-" + account), IsMultiRegionTrail: aws.Bool(region != home),
				})
			}
			if got := strings.Contains(findings(w.sweep(app.Request{})), "relight cannot create it again"); got != tt.full {
				t.Errorf("reported %t, want %t", got, tt.full)
			}
		})
	}
}
