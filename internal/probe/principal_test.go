package probe

import "testing"

func TestLogsPrincipal(t *testing.T) {
	for region, want := range map[string]string{
		"eu-west-1":      "logs.eu-west-1.amazonaws.com",
		"us-gov-west-1":  "logs.us-gov-west-1.amazonaws.com",
		"eusc-de-east-1": "logs.eusc-de-east-1.amazonaws.com",
		"cn-north-1":     "logs.cn-north-1.amazonaws.com.cn",
		"us-iso-east-1":  "logs.us-iso-east-1.c2s.ic.gov",
		"us-isob-east-1": "logs.us-isob-east-1.sc2s.sgov.gov",
		"us-isof-east-1": "logs.us-isof-east-1.amazonaws.com",
	} {
		if got := logsPrincipal(region); got != want {
			t.Errorf("%s: %s, want %s", region, got, want)
		}
	}
}
