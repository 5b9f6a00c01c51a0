/* anchor.c - one function that takes a pointer to every struct that crosses. It is never called: a plugin's tables hang
 * behind `const void *`, where abidiff would not see them. */
#include <patchbay/checkpoint.h>
#include <patchbay/fetch.h>
#include <patchbay/idle.h>
#include <patchbay/plugin.h>
#include <patchbay/preview.h>
#include <patchbay/services.h>
#include <patchbay/simulate.h>

PATCHBAY_EXPORT void
patchbay_anchor(const patchbay_str *, const patchbay_strs *, const patchbay_kv *, const patchbay_cidr *,
		const patchbay_cidrs *, const patchbay_field *, const patchbay_fields *, const patchbay_strs_expr *,
		const patchbay_list *, const patchbay_host *, const patchbay_option *, const patchbay_request *,
		const patchbay_reply *, const patchbay_event *, const patchbay_emitter *, const patchbay_provider *,
		const patchbay_source *, const patchbay_delivery *, const patchbay_result *, const patchbay_sink *,
		const patchbay_plugin *, const patchbay_json_service *, const patchbay_crypto_service *,
		const patchbay_ed25519_service *, const patchbay_time_service *, const patchbay_value *,
		const patchbay_expr_service *, const patchbay_http_options *, const patchbay_http_request *,
		const patchbay_http_answer *, const patchbay_http_service *, const patchbay_checkpoint *,
		const patchbay_idle *, const patchbay_poll *, const patchbay_enrich *, const patchbay_sample *,
		const patchbay_simulate *, const patchbay_preview *);

void patchbay_anchor(const patchbay_str *p0, const patchbay_strs *p1, const patchbay_kv *p2, const patchbay_cidr *p3,
		     const patchbay_cidrs *p4, const patchbay_field *p5, const patchbay_fields *p6,
		     const patchbay_strs_expr *p7, const patchbay_list *p8, const patchbay_host *p9,
		     const patchbay_option *p10, const patchbay_request *p11, const patchbay_reply *p12,
		     const patchbay_event *p13, const patchbay_emitter *p14, const patchbay_provider *p15,
		     const patchbay_source *p16, const patchbay_delivery *p17, const patchbay_result *p18,
		     const patchbay_sink *p19, const patchbay_plugin *p20, const patchbay_json_service *p21,
		     const patchbay_crypto_service *p22, const patchbay_ed25519_service *p23,
		     const patchbay_time_service *p24, const patchbay_value *p25, const patchbay_expr_service *p26,
		     const patchbay_http_options *p27, const patchbay_http_request *p28,
		     const patchbay_http_answer *p29, const patchbay_http_service *p30, const patchbay_checkpoint *p31,
		     const patchbay_idle *p32, const patchbay_poll *p33, const patchbay_enrich *p34,
		     const patchbay_sample *p35, const patchbay_simulate *p36, const patchbay_preview *p37)
{
	(void)p0;
	(void)p1;
	(void)p2;
	(void)p3;
	(void)p4;
	(void)p5;
	(void)p6;
	(void)p7;
	(void)p8;
	(void)p9;
	(void)p10;
	(void)p11;
	(void)p12;
	(void)p13;
	(void)p14;
	(void)p15;
	(void)p16;
	(void)p17;
	(void)p18;
	(void)p19;
	(void)p20;
	(void)p21;
	(void)p22;
	(void)p23;
	(void)p24;
	(void)p25;
	(void)p26;
	(void)p27;
	(void)p28;
	(void)p29;
	(void)p30;
	(void)p31;
	(void)p32;
	(void)p33;
	(void)p34;
	(void)p35;
	(void)p36;
	(void)p37;
}
