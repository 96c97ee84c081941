// What stock libllama and libmtmd compute for one prompt with pictures: tokens, preprocessed pixels, picture
// embeddings, logits of the first token, greedy tokens. stock.py builds and runs it.
//
// oracle MODEL PROJECTOR|- GREEDY_COUNT FOLDER
// stdin: a line a prompt: hex of the text with <__media__> where pictures stand, then their .ppm files
// stdout: a line of JSON a prompt; FOLDER/<prompt>-<kind>-<number>.f32 hold pixels and embeddings.
#include "ggml-backend.h"
#include "llama-cpp.h"
#include "mtmd-helper.h"
#include "mtmd.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

struct Recorder {
    std::string prefix;
    int count = 0;
    std::string shapes; // JSON
};

static void write_floats(const std::string & path, const float * values, size_t count) {
    std::ofstream file(path, std::ios::binary);
    file.write((const char *) values, (std::streamsize) (count * sizeof(float)));
}

// Called around every node of the encoder's graph: the first node that reads "inp_raw" shows the pixels.
static bool look(ggml_tensor * node, bool ask, void * user) {
    Recorder & recorder = *(Recorder *) user;
    for (int i = 0; i < GGML_MAX_SRC; i++) {
        ggml_tensor * source = node->src[i];
        while (source && source->view_src) {
            source = source->view_src;
        }
        if (!source || strcmp(source->name, "inp_raw") != 0) {
            continue;
        }
        if (ask) {
            return true;
        }
        if (!recorder.prefix.empty()) {
            std::vector<float> values((size_t) ggml_nelements(source));
            ggml_backend_tensor_get(source, values.data(), 0, ggml_nbytes(source));
            write_floats(recorder.prefix + "-pixels-" + std::to_string(recorder.count) + ".f32", values.data(), values.size());
            char shape[128];
            snprintf(shape, sizeof(shape), "%s[%lld,%lld,%lld,%lld]", recorder.count ? "," : "", (long long) source->ne[3],
                     (long long) source->ne[2], (long long) source->ne[1], (long long) source->ne[0]);
            recorder.shapes += shape;
            recorder.count++;
            recorder.prefix.clear(); // once a picture
        }
        return true;
    }
    return ask ? false : true;
}

static std::string unhex(const std::string & hex) {
    std::string out;
    for (size_t i = 0; i + 1 < hex.size(); i += 2) {
        out.push_back((char) std::stoi(hex.substr(i, 2), nullptr, 16));
    }
    return out;
}

static mtmd_bitmap * read_ppm(const std::string & path) {
    std::ifstream file(path, std::ios::binary);
    std::string magic;
    uint32_t width = 0, height = 0, top = 0;
    file >> magic >> width >> height >> top;
    file.get();
    std::vector<unsigned char> pixels((size_t) width * height * 3);
    file.read((char *) pixels.data(), (std::streamsize) pixels.size());
    return magic == "P6" && top == 255 && file ? mtmd_bitmap_init(width, height, pixels.data()) : nullptr;
}

template <typename T> static void print_row(const char * name, const T * values, size_t count) {
    printf("\"%s\":[", name);
    for (size_t i = 0; i < count; i++) {
        printf("%s%.9g", i ? "," : "", (double) values[i]);
    }
    printf("]");
}

static int fail(const char * why) {
    fprintf(stderr, "oracle: %s\n", why);
    return 1;
}

int main(int argc, char ** argv) {
    if (argc != 5) {
        return fail("usage: oracle MODEL PROJECTOR|- GREEDY_COUNT FOLDER");
    }
    auto errors = [](ggml_log_level level, const char * text, void *) { if (level >= GGML_LOG_LEVEL_ERROR) fputs(text, stderr); };
    llama_log_set(errors, nullptr);
    mtmd_helper_log_set(errors, nullptr);
    ggml_backend_load_all();
    const int greedy_count = std::stoi(argv[3]);
    const std::string folder = argv[4];

    llama_model_params model_params = llama_model_default_params();
    model_params.n_gpu_layers = 0;
    llama_model_ptr model(llama_model_load_from_file(argv[1], model_params));
    if (!model) {
        return fail("the language model was refused");
    }
    llama_context_params context_params = llama_context_default_params();
    context_params.n_ctx = 4096;
    context_params.n_batch = context_params.n_ubatch = 2048;
    context_params.n_threads = context_params.n_threads_batch = 1;
    context_params.swa_full = true;
    context_params.type_k = context_params.type_v = GGML_TYPE_F32;
    context_params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED;
    llama_context_ptr context(llama_init_from_model(model.get(), context_params));
    const llama_vocab * vocab = llama_model_get_vocab(model.get());
    const int vocab_size = llama_vocab_n_tokens(vocab);
    const size_t width = (size_t) llama_model_n_embd_inp(model.get());

    Recorder recorder;
    mtmd_context * vision = nullptr;
    if (std::string(argv[2]) != "-") {
        mtmd_context_params params = mtmd_context_params_default();
        params.use_gpu = false;
        params.warmup = false;
        params.n_threads = 1;
        params.cb_eval = look;
        params.cb_eval_user_data = &recorder;
        vision = mtmd_init_from_file(argv[2], model.get(), params);
        if (!vision) {
            return fail("the projector was refused");
        }
    }

    std::string line;
    for (int number = 0; std::getline(std::cin, line); number++) {
        std::istringstream fields(line);
        std::string hex, picture;
        fields >> hex;
        const std::string text = unhex(hex);
        std::vector<const mtmd_bitmap *> bitmaps;
        while (fields >> picture) {
            bitmaps.push_back(read_ppm(picture));
            if (!bitmaps.back()) {
                return fail("a picture cannot be read");
            }
        }
        llama_memory_clear(llama_get_memory(context.get()), true);
        std::vector<llama_token> tokens;
        llama_pos past = 0;
        const std::string prefix = folder + "/" + std::to_string(number);
        recorder.count = 0;
        recorder.shapes.clear();
        printf("{");
        if (vision) {
            mtmd_input_chunks * chunks = mtmd_input_chunks_init();
            const mtmd_input_text input = { text.data(), text.size(), true, true };
            if (mtmd_tokenize(vision, chunks, &input, bitmaps.data(), bitmaps.size()) != 0) {
                return fail("mtmd_tokenize");
            }
            std::vector<float> embeddings;
            for (size_t i = 0; i < mtmd_input_chunks_size(chunks); i++) {
                const mtmd_input_chunk * chunk = mtmd_input_chunks_get(chunks, i);
                const size_t count = mtmd_input_chunk_get_n_tokens(chunk);
                if (mtmd_input_chunk_get_type(chunk) == MTMD_INPUT_CHUNK_TYPE_TEXT) {
                    size_t text_count = 0;
                    const llama_token * row = mtmd_input_chunk_get_tokens_text(chunk, &text_count);
                    tokens.insert(tokens.end(), row, row + text_count);
                } else {
                    recorder.prefix = prefix;
                    if (mtmd_encode_chunk(vision, chunk) != 0) {
                        return fail("mtmd_encode_chunk");
                    }
                    recorder.prefix.clear();
                    const float * rows = mtmd_get_output_embd(vision);
                    embeddings.insert(embeddings.end(), rows, rows + count * width);
                    tokens.insert(tokens.end(), count, -1);
                }
            }
            write_floats(prefix + "-embeddings.f32", embeddings.data(), embeddings.size());
            if (mtmd_helper_eval_chunks(vision, context.get(), chunks, 0, 0, 2048, true, &past) != 0) {
                return fail("mtmd_helper_eval_chunks");
            }
            mtmd_input_chunks_free(chunks);
        } else {
            tokens.resize(text.size() + 8);
            tokens.resize((size_t) llama_tokenize(vocab, text.data(), (int) text.size(), tokens.data(), (int) tokens.size(), true, true));
            if (llama_decode(context.get(), llama_batch_get_one(tokens.data(), (int) tokens.size())) != 0) {
                return fail("llama_decode");
            }
            past = (llama_pos) tokens.size();
        }
        printf("\"width\":%zu,\"position\":%d,\"pixels\":[%s],", width, (int) past, recorder.shapes.c_str());
        print_row("tokens", tokens.data(), tokens.size());
        printf(",");
        print_row("logits", llama_get_logits_ith(context.get(), -1), (size_t) vocab_size);
        std::vector<llama_token> greedy;
        while ((int) greedy.size() < greedy_count) {
            const float * logits = llama_get_logits_ith(context.get(), -1);
            const llama_token next = (llama_token) (std::max_element(logits, logits + vocab_size) - logits);
            if (llama_vocab_is_eog(vocab, next)) {
                break;
            }
            greedy.push_back(next);
            llama_token row = next;
            // positions go on behind the prompt's, which under M-RoPE are fewer than its rows
            llama_batch batch = llama_batch_init(1, 0, 1);
            batch.n_tokens = 1;
            batch.token[0] = row;
            batch.pos[0] = past++;
            batch.n_seq_id[0] = 1;
            batch.seq_id[0][0] = 0;
            batch.logits[0] = 1;
            const int code = llama_decode(context.get(), batch);
            llama_batch_free(batch);
            if (code != 0) {
                return fail("llama_decode");
            }
        }
        printf(",");
        print_row("greedy", greedy.data(), greedy.size());
        printf("}\n");
        fflush(stdout);
    }
    mtmd_free(vision);
    return 0;
}
