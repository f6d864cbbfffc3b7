package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// settings returns the settings of a function's AWS clients. Lambda passes region and
// credentials in the environment. The SDK's package that reads them also links profiles
// and sign-in with their four clients: a fifteenth of the function's package, and of the
// time that it takes to start. Sources: Lambda Developer Guide, "Defined runtime
// environment variables"; AWS SDKs and Tools Reference Guide, "Environment variables
// support" (documented).
func settings() (aws.Config, error) {
	region, key, secret := os.Getenv("AWS_REGION"), os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY")
	if region == "" || key == "" || secret == "" {
		return aws.Config{}, errors.New("the environment has no AWS_REGION, or no credentials: Lambda sets them, so a function cannot run elsewhere without them")
	}
	var env environment
	err := errors.Join(readBool("AWS_USE_FIPS_ENDPOINT", &env.fips), readBool("AWS_USE_DUALSTACK_ENDPOINT", &env.dualStack), readBool("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", &env.awsOnly))
	if err != nil {
		return aws.Config{}, fmt.Errorf("read AWS settings: %w", err)
	}
	cfg := aws.Config{
		Region:      region,
		Credentials: credentials.NewStaticCredentialsProvider(key, secret, os.Getenv("AWS_SESSION_TOKEN")),
		HTTPClient:  awshttp.NewBuildableClient(), ConfigSources: []any{env},
	}
	if endpoint := os.Getenv("AWS_ENDPOINT_URL"); endpoint != "" && !env.awsOnly {
		cfg.BaseEndpoint = aws.String(endpoint)
	}
	return cfg, nil
}

// readBool reads a variable of the environment into a bool, which stays false if the
// variable is not set.
func readBool(name string, to *bool) (err error) {
	if text := os.Getenv(name); text != "" {
		if *to, err = strconv.ParseBool(text); err != nil {
			return fmt.Errorf("%s is %q: want true or false", name, text)
		}
	}
	return nil
}

// An environment contains what clients ask of the environment: their endpoints. The
// methods are those that the clients of the SDK look for.
type environment struct {
	fips, dualStack, awsOnly bool
}

// GetUseFIPSEndpoint returns whether to call the endpoints with validated cryptography.
func (e environment) GetUseFIPSEndpoint(context.Context) (aws.FIPSEndpointState, bool, error) {
	return aws.FIPSEndpointStateEnabled, e.fips, nil
}

// GetUseDualStackEndpoint returns whether to call the endpoints that have IPv6.
func (e environment) GetUseDualStackEndpoint(context.Context) (aws.DualStackEndpointState, bool, error) {
	return aws.DualStackEndpointStateEnabled, e.dualStack, nil
}

// GetIgnoreConfiguredEndpoints returns whether no other endpoints than AWS's count.
func (e environment) GetIgnoreConfiguredEndpoints(context.Context) (ignore, found bool, err error) {
	return e.awsOnly, true, nil
}

// GetServiceBaseEndpoint returns the endpoint that is configured for one service.
func (e environment) GetServiceBaseEndpoint(_ context.Context, service string) (string, bool, error) {
	endpoint := os.Getenv("AWS_ENDPOINT_URL_" + strings.ToUpper(strings.ReplaceAll(service, " ", "_")))
	return endpoint, endpoint != "", nil
}
