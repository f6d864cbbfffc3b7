package app

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// A function takes region, credentials and endpoint from the environment that Lambda
// gives it, and says what is missing.
func TestSettings(t *testing.T) {
	all := map[string]string{
		"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "ASIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "session",
	}
	for name, tt := range map[string]struct {
		set      map[string]string
		endpoint string
		fails    string
	}{
		"as Lambda does":      {},
		"in the local cloud":  {set: map[string]string{"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"}, endpoint: "http://127.0.0.1:4566"},
		"no region":           {set: map[string]string{"AWS_REGION": ""}, fails: "no AWS_REGION"},
		"no credentials":      {set: map[string]string{"AWS_ACCESS_KEY_ID": ""}, fails: "no credentials"},
		"an unreadable value": {set: map[string]string{"AWS_USE_FIPS_ENDPOINT": "perhaps"}, fails: "read AWS settings"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, key := range []string{"AWS_ENDPOINT_URL", "AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"} {
				t.Setenv(key, "")
			}
			for _, values := range []map[string]string{all, tt.set} {
				for key, value := range values {
					t.Setenv(key, value)
				}
			}
			cfg, err := settings()
			if tt.fails != "" {
				if err == nil || !strings.Contains(err.Error(), tt.fails) {
					t.Errorf("error %v, want %q", err, tt.fails)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got, err := cfg.Credentials.Retrieve(t.Context())
			if err != nil || got.SessionToken != "session" || cfg.Region != "eu-west-1" || aws.ToString(cfg.BaseEndpoint) != tt.endpoint {
				t.Errorf("%+v, %v in %s at %s", got, err, cfg.Region, aws.ToString(cfg.BaseEndpoint))
			}
		})
	}
}
